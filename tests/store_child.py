"""A process that writes into a store until it is killed or done, and says over a pipe what it does.

`python -m tests.store_child FOLDER SEED COUNT`: each change is announced ("begin add 甲") and, when the store
has acknowledged it, confirmed ("done add 甲"). Texts come in pairs, which are added together.
`python -m tests.store_child FOLDER hold NOTE`: holds the store until its input ends.
`python -m tests.store_child FOLDER read HOW`: has it open to read it, HOW "in between" or "in the middle" of
reading, until its input ends.
`python -m tests.store_child FOLDER restore BACKUP`: begins to restore, and ends it when its input ends.
"""

from __future__ import annotations

import random
import sys
from pathlib import Path

from index.files import Files
from index.store import Store, restore
from tests.store_samples import addition, ids, remove


def write(store: Store, seed: int, count: int) -> None:
    rnd = random.Random(seed)  # noqa: S311 - the same for the same seed
    alive = sorted({stored.source.text for stored in store.sources("default")})
    # Only the first of a pair by name; both come and go together.
    alive = [text for text in alive if text.startswith("甲")]
    for number in range(count):
        if len(alive) > 5 and rnd.random() < 0.5:
            verb, text = "remove", alive.pop(rnd.randrange(len(alive)))
        else:
            verb, text = "add", f"甲{seed} {number} " + "长" * rnd.choice((1, 5000, 200_000))
            alive.append(text)
        say(f"begin {verb} {text[:30]}")
        pair = [addition(text), addition("乙" + text[1:])]
        if verb == "add":
            store.apply("default", additions=pair, encoder_key="编码器-3")
        else:
            remove(store, *ids(pair[0]), *ids(pair[1]))
        say(f"done {verb} {text[:30]}")


def say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def read(folder: Path, how: str) -> None:
    with Store.open(folder, writable=False) as store:
        sources = store.sources("default")
        if how == "in the middle":
            next(sources)
            store.close()
        say("open")
        sys.stdin.read()


class Waiting(Files):
    """Waits before the first rename until the input ends."""

    def rename(self, source: Path, target: Path) -> None:
        say("open")
        sys.stdin.read()
        super().rename(source, target)


def main(folder: str, what: str, argument: str) -> None:
    if what == "read":
        read(Path(folder), argument)
        return
    if what == "restore":
        restore(Path(argument), Path(folder), files=Waiting())
        return
    with Store.open(Path(folder)) as store:
        say("open")
        if what == "hold":
            store.set_note(argument)
            say("held")
            sys.stdin.read()
        else:
            write(store, int(what), int(argument))


if __name__ == "__main__":
    sys.stdout.reconfigure(encoding="utf-8")  # type: ignore[union-attr]
    main(*sys.argv[1:])
