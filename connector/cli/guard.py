"""What each command is wrapped in: an error becomes a message on stderr and the contract's exit code."""

import functools
from collections.abc import Callable
from typing import NoReturn, ParamSpec

import typer

EXIT_PROBLEMS = 2
EXIT_CRM = 3
EXIT_FAULT = 70
P = ParamSpec("P")


def guarded(command: Callable[P, None]) -> Callable[P, None]:
    """Turn what a command raises into a message on stderr and the contract's exit code."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from connector.cli.output import results
        from connector.cli.output.terminal import err, log_to_stderr
        from connector.errors import AfterwordError, CrmError, SettingsError, StoreError

        log_to_stderr()
        try:
            command(*args, **kwargs)
        except SettingsError as error:
            results.problems(err, error.problems)
            leave(EXIT_PROBLEMS)
        except CrmError as error:
            results.error(err, error)
            leave(EXIT_CRM)
        except StoreError as error:
            results.error(err, error)
            leave(EXIT_PROBLEMS)
        except AfterwordError as error:
            results.error(err, error)
            leave(EXIT_PROBLEMS)
        except (typer.Exit, typer.Abort):
            raise
        except KeyboardInterrupt:
            leave(130)
        except Exception:
            import structlog

            structlog.get_logger("afterword").exception(
                "a fault of Afterword itself; please report it with what stands above"
            )
            leave(EXIT_FAULT)

    return run


def leave(code: int) -> NoReturn:
    """End the command with an exit code."""
    raise typer.Exit(code)
