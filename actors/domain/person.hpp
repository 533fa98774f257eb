#pragma once

#include "actors/domain/message.hpp"

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

/// Who is the same person: by which verified addresses contacts of several
/// channels are joined to one customer. Nothing here guesses; an address counts
/// only where the sender or the channel vouches for it.
namespace switchboard::person {

/// E.164 allows 15 digits; nothing shorter than 7 is somebody's own number.
inline constexpr std::size_t phone_digits_min = 7;
inline constexpr std::size_t phone_digits_max = 15;

/// Of RFC 5321.
inline constexpr std::size_t email_bytes_max = 254;
inline constexpr std::size_t email_local_bytes_max = 64;

/// What an installation decides.
struct rules {
  /// Calling code of numbers that are written without one: "86", "49". Empty:
  /// such numbers join nobody.
  std::string country{};

  /// Channels whose users are telephone numbers, proven by the network.
  std::vector<std::string> phone_channels{"phone", "sms", "whatsapp"};

  /// Channels whose users are e-mail addresses.
  std::vector<std::string> email_channels{"email", "mail"};

  friend bool operator==(const rules&, const rules&) = default;
};

/// Under which a customer is known; in normal form, empty where there is none.
struct addresses {
  std::string phone{}; ///< "+8613800138000"
  std::string email{}; ///< "Ann@example.com"

  [[nodiscard]] bool empty() const { return phone.empty() && email.empty(); }

  friend bool operator==(const addresses&, const addresses&) = default;
};

/// The one way to write a telephone number: "+", country and number (E.164).
/// Takes what people write: "0049 (0)30 / 1234-56", "tel:+49-30-123456".
/// @param country see `rules`
/// @returns nothing for what is no complete number
[[nodiscard]] std::optional<std::string> normal_phone(std::string_view written,
                                                      std::string_view country);

/// The one way to write an e-mail address: without "mailto:" and blanks, the
/// domain in lower case. The part before the @ is its host's business and stays
/// as it is.
/// @returns nothing for what is no single address
[[nodiscard]] std::optional<std::string> normal_email(std::string_view written);

/// The addresses that `said` proves, the first that holds of: the message's own
/// verified_phone and verified_email; the metadata of the same names; the user,
/// on a channel whose users are addresses. Metadata without "verified_" is
/// what a customer says of themselves and proves nothing.
[[nodiscard]] addresses verified_in(const inbound& said, const rules& r);

} // namespace switchboard::person
