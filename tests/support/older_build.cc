// granary-older: Granary as a build had it that does not know interim usage yet, under a name of its own, for tests of
// two builds over one ledger. Its door refuses granary.usage.interim.v1; its machines do not know that event's number,
// nor that of what metering makes of it (usage.held). With --breaks-a-law it reads both, and folding either breaks a
// law, as a fault in a build would.
//
// Which events it knows is changed beneath all rooms, at link time (--wrap and a name of its own in CMakeLists.txt), so
// that everything above is what every build does with a number that it has no rule for.
#include "shared/base/check.h"
#include "shared/base/version.h"
#include "shared/events/catalogue.h"
#include "shared/events/event_codec.h"
#include "tests/support/test_server.h"

namespace granary {

const char* const kVersion = "0.0.1-older";

namespace events {
namespace {

bool breaks_a_law = false;

bool is_newer(EventType type) {
  return type == kType<UsageInterim> || type == kType<UsageHeld>;
}

}  // namespace

// The decoder and the vocabulary of this checkout, and what stands in their place.
DecodeResult add_newer(EventDecoder* decoder, BytesView bytes) asm(
    "__real__ZN7granary6events12EventDecoder3addESt17basic_string_viewIcSt11char_traitsIcEE");
DecodeResult add_older(EventDecoder* decoder, BytesView bytes) asm(
    "__wrap__ZN7granary6events12EventDecoder3addESt17basic_string_viewIcSt11char_traitsIcEE");
const TypeInfo* newer_type(std::string_view name) asm(
    "__real__ZN7granary6events12type_by_nameESt17basic_string_viewIcSt11char_traitsIcEE");
const TypeInfo* older_type(std::string_view name) asm(
    "__wrap__ZN7granary6events12type_by_nameESt17basic_string_viewIcSt11char_traitsIcEE");

DecodeResult add_older(EventDecoder* decoder, BytesView bytes) {
  if (!is_newer(peek_type(bytes))) return add_newer(decoder, bytes);
  GRANARY_CHECK(!breaks_a_law, "the fault that this build was given");
  return DecodeResult::unknown_type;
}

const TypeInfo* older_type(std::string_view name) {
  const TypeInfo* info = newer_type(name);
  return info != nullptr && is_newer(info->type) ? nullptr : info;
}

}  // namespace events
}  // namespace granary

int main(int argc, char** argv) {
  CLI::App app{"Granary before it knew interim usage: for tests", "granary-older"};
  app.add_flag("--breaks-a-law", granary::events::breaks_a_law);
  return granary::test::test_server_main(app, {}, argc, argv);
}
