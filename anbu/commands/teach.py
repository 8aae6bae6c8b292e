"""The learned model made: `anbu train`."""

from pathlib import Path
from typing import Annotated

import typer

from anbu.commands.judge import Meter, Tz

Phone = Annotated[Path, typer.Option(help="전화: household_id, timestamp, kind, duration_s · phone events")]
Out = Annotated[Path, typer.Option(help="모델 (.npz), 설정 model에 씀 · the model, for the setting model")]
Folds = Annotated[int, typer.Option(min=2, help="집과 사람을 나누는 묶음 · folds of whole homes and persons")]
Seed = Annotated[int, typer.Option(min=0, help="난수 씨앗 · seed: the same again gives the same model")]
Variants = Annotated[int, typer.Option(min=0, help="집마다 바꾼 집 수 · changed copies of each home, taught from only")]
Sources = Annotated[
    list[str] | None, typer.Option("--source", help="자료의 출처와 조건, 여러 번 · where data is from, its terms")
]
Together = Annotated[
    bool, typer.Option("--together", help="전화를 모두 같은 기간에 관찰함 · all persons observed for the same days")
]
Scores = Annotated[
    Path | None, typer.Option(help="집마다 묶음, 오경보, 발견 (CSV) · each home's fold and what came of it")
]
SaveFolds = Annotated[
    Path | None, typer.Option(help="묶음마다 그것을 뺀 모델을 둘 폴더, backtest --folds에 씀 · each fold's model, "
                              "fitted without it: for backtest --folds")
]


def train(
    meter: Meter, phone: Phone, out: Out, folds: Folds = 5, seed: Seed = 1, variants: Variants = 2,
    source: Sources = None, together: Together = False, scores: Scores = None, save_folds: SaveFolds = None,
    tz: Tz = None,
) -> None:  # fmt: skip
    """기록에서 모델을 배웁니다 · fit the learned model on a history, with collapses spliced in (anbu[train]).

    Homes and persons need not belong together: a person is drawn for each home. The report is of homes and persons
    left out; it is kept in the model, too.
    """
    from anbu import configuration, training

    settings = configuration.load(tz=tz)
    asked = training.Asked(meter, phone, out, folds, seed, variants, tuple(source or ()), together, scores, save_folds)
    training.run(asked, settings)
