"""Pages in, pages out: no more is read ahead than one page, however long storing takes."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from environment import HOUR, Environment, wait_for
from incidents import accounts, answering, names, tiny_pages

from adapters.sandbox.web import Request, Response


def test_reading_waits_for_the_store(acme: Environment) -> None:
    made = {f"Company {number}" for number in range(12)}
    for name in made:
        acme.account(name)
    tiny_pages(acme)
    acme.advance(HOUR)
    busy, go_on = threading.Event(), threading.Event()

    def keep_the_store_busy() -> None:
        with acme.installation.store.write():
            busy.set()
            go_on.wait(300)

    holder = threading.Thread(target=keep_the_store_busy)

    def at_the_first(page: int, _request: Request, _right: Response) -> None:
        if page == 1:
            holder.start()
            busy.wait(300)

    with answering(acme, accounts(acme), at_the_first) as pages, ThreadPoolExecutor() as pool:
        lap = pool.submit(acme.lap)
        wait_for(busy.is_set)
        time.sleep(0.4)
        read = len(pages)
        go_on.set()
        assert lap.result().exit_code == 0
    holder.join()
    assert read <= 2
    assert names(acme) == made
