"""The people of the demonstration: made up, as a file for `anbu people import`. No number of theirs can be rung."""

from pathlib import Path

import numpy as np

from anbu.demo_story import Story
from response import people_files
from response.records import Person

FAMILY = "김이박최정강조윤장임한오서신권황안송류홍"
GIVEN = (
    "영자", "순자", "정숙", "영수", "정희", "춘자", "광수", "미경", "경자", "옥순", "병철", "말순",
    "상철", "복순", "동수", "금자", "종수", "명자", "태식", "은숙", "영호", "정자", "창호", "숙자",
)  # fmt: skip
GUARDED = 0.6
"""Part of the residents with a guardian who may be told."""


def write(story: Story, path: Path, seed: int) -> int:
    """Everybody around the households of the story; how many."""
    rng = np.random.default_rng([seed, 8150])
    people = _around(story, rng)
    with open(path, "w", encoding="utf-8", newline="") as file:
        people_files.write(file, people)
    return len(people)


def places(story: Story) -> dict[str, str]:
    """What the dongs and areas of the story are called."""
    homes = story.town.households
    named = {dong: f"별빛{n}동" for n, dong in enumerate(sorted({home.dong for home in homes}), 1)}
    return named | {area: f"{n}구역" for n, area in enumerate(sorted({home.area for home in homes}), 1)}


def _around(story: Story, rng: np.random.Generator) -> list[Person]:
    people, named = [], places(story)
    for n, home in enumerate(story.town.households):
        guarded = bool(rng.random() < GUARDED)
        people.append(
            Person(
                f"resi-{home.household_id}", "resident", home.dong, home.household_id, name(rng), f"010-0000-{n:04d}",
                address=f"{named[home.dong]} {n + 1}번지", consent_guardian=guarded, consent_entry=True,
            )
        )
        if guarded:
            people.append(
                Person(
                    f"guar-{home.household_id}", "guardian", home.dong, home.household_id, name(rng),
                    f"010-0001-{n:04d}",
                )
            )  # fmt: skip
    dongs = sorted({home.dong for home in story.town.households})
    for n, dong in enumerate(dongs):
        people.append(Person(f"offi-{dong}", "officer", dong, name=name(rng), phone=f"010-0002-{n:04d}"))
        people.append(Person(f"depu-{dong}", "deputy", dong, name=name(rng), phone=f"010-0003-{n:04d}"))
    people.append(Person("centre", "centre", name="관제실", phone="010-0004-0001"))
    people.append(Person("operator", "operator", name="운영실", phone="010-0004-0002"))
    return people


def name(rng: np.random.Generator) -> str:
    """A name that many people have."""
    return FAMILY[rng.integers(len(FAMILY))] + GIVEN[rng.integers(len(GIVEN))]
