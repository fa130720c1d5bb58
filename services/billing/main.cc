// `granary-billing`: this service alone, over Kafka.
#include "services/billing/service.h"
#include "shared/service/service_main.h"

int main(int argc, char** argv) {
  return granary::service::service_main(argc, argv, "granary-billing",
                                        "Granary's billing: charges priced by the books in force, split into covered "
                                        "and billed, and the stream to finance.",
                                        granary::billing::hosted());
}
