"""The asker's error, apart from query.py so that every part of question reading can raise it."""


class QueryError(Exception):
    """The asker's mistake (HTTP 400); `parameter` names what to change, `code` is stable for programs."""

    def __init__(self, parameter: str, message: str, code: str = "bad_parameter") -> None:
        super().__init__(message)
        self.parameter = parameter
        self.code = code
