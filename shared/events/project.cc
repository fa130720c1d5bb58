#include "shared/events/project.h"

namespace granary::events {

Trouble check(const ProjectRegistered& project, const std::string& at) {
  return check(project.refs, at + "/refs");
}

}  // namespace granary::events
