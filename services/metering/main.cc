// `granary-metering`: this service alone, over Kafka.
#include "services/metering/service.h"
#include "shared/service/service_main.h"

int main(int argc, char** argv) {
  return granary::service::service_main(
      argc, argv, "granary-metering",
      "Granary's metering: each usage that schedulers report once, in base units, to its project.",
      granary::metering::hosted());
}
