#pragma once

#include "actors/domain/result.hpp"
#include "bus/bus.hpp"

#include <nats/nats.h>

#include <memory>
#include <string>
#include <string_view>

/// What the files of this folder share. Nobody else includes it.
namespace switchboard::nats {

template <auto Destroy>
struct destroy_with {
  template <class T>
  void operator()(T* object) const noexcept {
    Destroy(object);
  }
};

// Every object of the C library is owned by one of these from the line on which
// it is made.
using options = std::unique_ptr<natsOptions, destroy_with<natsOptions_Destroy>>;
using connection =
  std::unique_ptr<natsConnection, destroy_with<natsConnection_Destroy>>;
using subscription =
  std::unique_ptr<natsSubscription, destroy_with<natsSubscription_Destroy>>;
using message = std::unique_ptr<natsMsg, destroy_with<natsMsg_Destroy>>;
using streams = std::unique_ptr<jsCtx, destroy_with<jsCtx_Destroy>>;
using stream_info =
  std::unique_ptr<jsStreamInfo, destroy_with<jsStreamInfo_Destroy>>;
using consumer_info =
  std::unique_ptr<jsConsumerInfo, destroy_with<jsConsumerInfo_Destroy>>;

/// The one place where a natsStatus becomes one of our codes.
error translate(natsStatus status, std::string_view doing);

/// As `translate`, for calls to JetStream, which have codes of their own.
error translate(natsStatus status, jsErrCode code, std::string_view doing);

/// The header's value, its name in any case; empty: there is none.
std::string header(natsMsg* of, std::string_view name);

bus::header_list headers(natsMsg* of);

/// A packet whose views live as long as `raw`.
bus::packet view(natsMsg* raw);

/// @returns a message with these headers, malformed for a bad header
result<message> make_message(std::string_view subject, std::string_view reply,
                             std::string_view bytes,
                             const bus::header_list& with);

/// A fresh subject of ours: "_INBOX.<unique>".
std::string make_inbox();

} // namespace switchboard::nats
