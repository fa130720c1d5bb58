// The main program of a service that runs one machine over Kafka: flags, help, exit codes.
#pragma once

#include <string>

#include "shared/service/server.h"

namespace granary::service {

// `name` is the program's, `does` one sentence for its help. Exit codes as run_server.
int service_main(int argc, char** argv, const std::string& name, const std::string& does, const Hosted& hosted);

}  // namespace granary::service
