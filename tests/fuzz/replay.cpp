#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data,
                                      std::size_t size);

namespace {

void run(const std::string& bytes) {
  LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(bytes.data()),
                         bytes.size());
}

/// One small change: a byte flipped, put in, taken out, or a piece doubled.
void mutate(std::string& bytes, std::mt19937_64& random) {
  const auto at = bytes.empty() ? 0 : random() % bytes.size();
  switch (random() % 4) {
    case 0:
      if (!bytes.empty())
        bytes[at] = static_cast<char>(random());
      break;
    case 1: bytes.insert(at, 1, static_cast<char>(random())); break;
    case 2: bytes.erase(at, 1 + random() % 4); break;
    default: bytes.insert(at, bytes.substr(at, 1 + random() % 16)); break;
  }
}

} // namespace

/// Stands in for libFuzzer where the compiler has none: runs every file of a
/// folder, then mutations of them, the same ones every time.
int main(int count, char** arguments) {
  if (count != 3) {
    std::cerr << "usage: " << arguments[0] << " FOLDER MUTATIONS\n";
    return 2;
  }
  std::vector<std::string> corpus;
  for (const auto& file : std::filesystem::directory_iterator(arguments[1])) {
    std::ifstream in{file.path(), std::ios::binary};
    corpus.emplace_back(std::istreambuf_iterator<char>{in},
                        std::istreambuf_iterator<char>{});
    run(corpus.back());
  }
  if (corpus.empty()) {
    std::cerr << arguments[1] << " holds no file to begin with\n";
    return 1;
  }
  std::mt19937_64 random{1};
  const auto rounds = std::strtoull(arguments[2], nullptr, 10);
  for (unsigned long long i = 0; i < rounds; ++i) {
    auto bytes = corpus[random() % corpus.size()];
    for (auto changes = 1 + random() % 4; changes > 0; --changes)
      mutate(bytes, random);
    run(bytes);
  }
  std::cout << corpus.size() << " files, " << rounds << " mutations\n";
  return 0;
}
