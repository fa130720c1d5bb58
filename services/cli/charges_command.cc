// `granary charges`: what each project was charged, by month.
#include <memory>

#include "services/cli/command.h"
#include "services/cli/question.h"

namespace granary::cli {
namespace {

int charges(const ClientOptions& options) {
  return print_list(options, "/v1/charges",
                    {{"organisation"},
                     {"project"},
                     {"resource"},
                     {"period"},
                     {"used", Cell::amount},
                     {"covered", Cell::amount},
                     {"billed", Cell::amount},
                     {"unrated", Cell::amount},
                     {"currency"},
                     {"list_amount", Cell::money},
                     {"covered_amount", Cell::money},
                     {"billed_amount", Cell::money}});
}

Run declare(CLI::App& command) {
  const auto options = std::make_shared<ClientOptions>();
  add_question_options(command, *options);
  add_exact(command, *options);
  return [options] { return charges(*options); };
}

const Registered registered({Users::finance, "charges",
                             "Charges of each project and month: used, covered by grants, billed", declare});

}  // namespace
}  // namespace granary::cli
