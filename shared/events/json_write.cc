#include "shared/events/json.h"
#include "shared/events/json_fields.h"

namespace granary::events {

void write_json(const Event& event, std::string& out) {
  std::visit(
      [&out]<class T>(const T& value) {
        if constexpr (!std::is_same_v<T, std::monostate>)
          write_json_object(value, out);
        else
          out.append("{}");
      },
      event);
}

}  // namespace granary::events
