#include "shared/journal/embedded_hash.h"

#include <openssl/evp.h>

#include "shared/base/check.h"

namespace granary::journal {

struct Sha256::Context {
  EVP_MD* algorithm = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  EVP_MD_CTX* state = EVP_MD_CTX_new();
};

Sha256::Sha256() : context_(std::make_unique<Context>()) {
  GRANARY_CHECK(context_->algorithm != nullptr && context_->state != nullptr, "OpenSSL offers no SHA-256");
}

Sha256::~Sha256() {
  EVP_MD_CTX_free(context_->state);
  EVP_MD_free(context_->algorithm);
}

Hash32 Sha256::of(std::initializer_list<BytesView> parts) {
  Hash32 hash;
  bool fine = EVP_DigestInit_ex2(context_->state, context_->algorithm, nullptr) == 1;
  for (const BytesView part : parts) fine = fine && EVP_DigestUpdate(context_->state, part.data(), part.size()) == 1;
  fine = fine && EVP_DigestFinal_ex(context_->state, hash.data(), nullptr) == 1;
  GRANARY_CHECK(fine, "OpenSSL failed to hash");
  return hash;
}

}  // namespace granary::journal
