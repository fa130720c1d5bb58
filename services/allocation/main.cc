// `granary-allocation`: this service alone, over Kafka.
#include "services/allocation/service.h"
#include "shared/service/service_main.h"

int main(int argc, char** argv) {
  return granary::service::service_main(
      argc, argv, "granary-allocation",
      "Granary's allocation: balances as rows of lots; charges in burn-down order, expiry, uncovered use.",
      granary::allocation::hosted());
}
