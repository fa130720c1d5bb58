// The one translation unit that compiles Boost.JSON: it is used from its headers, not from a library of its own.
#include <boost/json/src.hpp>
