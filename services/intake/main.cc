// `granary-intake`: this service alone, over Kafka.
#include "services/intake/service.h"
#include "shared/service/service_main.h"

int main(int argc, char** argv) {
  return granary::service::service_main(argc, argv, "granary-intake",
                                        "Granary's intake: what people decide (organisations, applications, grants, "
                                        "policies, prices), judged once and sent on.",
                                        granary::intake::hosted());
}
