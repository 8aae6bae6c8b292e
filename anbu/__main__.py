"""``python -m anbu``: the same as the command ``anbu``; child processes are started so."""

from anbu.cli import main

if __name__ == "__main__":
    main()
