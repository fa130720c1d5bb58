#include "shared/proof/hash.h"

#include <openssl/evp.h>

#include "shared/base/check.h"

namespace granary::proof {
namespace {

struct Algorithm {
  EVP_MD* sha256 = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  ~Algorithm() { EVP_MD_free(sha256); }
};

const EVP_MD* algorithm() {
  static const Algorithm fetched;
  GRANARY_CHECK(fetched.sha256 != nullptr, "OpenSSL has no SHA-256");
  return fetched.sha256;
}

Hasher& thread_hasher() {
  thread_local Hasher hasher;
  return hasher;
}

}  // namespace

struct Hasher::State {
  EVP_MD_CTX* context = EVP_MD_CTX_new();
  ~State() { EVP_MD_CTX_free(context); }
};

Hasher::Hasher() : state_(std::make_unique<State>()) {}
Hasher::~Hasher() = default;

void Hasher::start() {
  GRANARY_CHECK(EVP_DigestInit_ex2(state_->context, algorithm(), nullptr) == 1, "SHA-256 did not start");
}

void Hasher::add(BytesView bytes) {
  GRANARY_CHECK(EVP_DigestUpdate(state_->context, bytes.data(), bytes.size()) == 1, "SHA-256 took no bytes");
}

Hash32 Hasher::finish() {
  Hash32 hash;
  unsigned size = 0;
  GRANARY_CHECK(EVP_DigestFinal_ex(state_->context, hash.data(), &size) == 1 && size == hash.size(),
                "SHA-256 did not end");
  return hash;
}

Hash32 sha256(BytesView bytes) {
  Hasher& hasher = thread_hasher();
  hasher.start();
  hasher.add(bytes);
  return hasher.finish();
}

Hash32 sha256_of_parts(std::initializer_list<BytesView> parts) {
  Hasher& hasher = thread_hasher();
  hasher.start();
  for (const BytesView part : parts) {
    char length[4];
    for (int i = 0; i < 4; ++i) length[i] = static_cast<char>(static_cast<std::uint32_t>(part.size()) >> (24 - 8 * i));
    hasher.add({length, sizeof length});
    hasher.add(part);
  }
  return hasher.finish();
}

Hash32 chain(const Hash32& before, BytesView bytes) {
  Hasher& hasher = thread_hasher();
  hasher.start();
  hasher.add(view_of(before));
  hasher.add(bytes);
  return hasher.finish();
}

std::uint16_t shard_of(std::initializer_list<BytesView> key, std::uint16_t partitions) {
  GRANARY_CHECK(partitions > 0, "a ledger has at least one partition");
  const Hash32 hash = sha256_of_parts(key);
  return static_cast<std::uint16_t>(read_u64(view_of(hash)) % partitions);
}

}  // namespace granary::proof
