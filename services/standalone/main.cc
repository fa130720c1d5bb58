// `granary`: the four services in one process, and the commands of those who run them (services/cli).
#include "services/cli/command.h"
#include "shared/service/program.h"

int main(int argc, char** argv) {
  return granary::service::run_program([&] { return granary::cli::run(argc, argv); });
}
