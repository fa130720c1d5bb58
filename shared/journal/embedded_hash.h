// SHA-256 over several parts, for the embedded journal's chain and HEAD. Fetches the algorithm once and reuses its
// context (OpenSSL 3 looks it up anew in the one-shot call). One thread per object.
#pragma once

#include <initializer_list>
#include <memory>

#include "shared/base/bytes.h"

namespace granary::journal {

class Sha256 {
 public:
  Sha256();
  ~Sha256();
  Sha256(const Sha256&) = delete;
  Sha256& operator=(const Sha256&) = delete;

  // The hash of the parts, one after the other without anything between.
  Hash32 of(std::initializer_list<BytesView> parts);

 private:
  struct Context;
  std::unique_ptr<Context> context_;
};

}  // namespace granary::journal
