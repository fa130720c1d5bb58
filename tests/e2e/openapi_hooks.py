"""What schemathesis may make for openapi_test.py, so that a good part of it gets through the door and is folded."""
import datetime

import schemathesis
from hypothesis import strategies as st

# Times that usage may have: the ledger of the test stands at today.
_YEAR = 365 * 86_400
_TODAY = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0)
schemathesis.openapi.format(
    "date-time",
    st.one_of(st.integers(-60 * 86_400, 0), st.integers(-20 * _YEAR, 20 * _YEAR)).map(
        lambda seconds: (_TODAY + datetime.timedelta(seconds=seconds)).strftime("%Y-%m-%dT%H:%M:%SZ")))


@schemathesis.hook
def before_generate_query(context, strategy):
    """Hardly any made-up token or cursor is one."""
    def without(query):
        return {name: value for name, value in query.items() if name not in ("after", "cursor")} if isinstance(query, dict) else query
    return st.one_of(strategy, strategy.map(without))
