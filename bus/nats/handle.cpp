#include "bus/nats/handle.hpp"

#include <algorithm>
#include <cctype>
#include <cstddef>
#include <cstdlib>

namespace switchboard::nats {

namespace {

bool same_name(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](unsigned char x, unsigned char y) {
                      return std::tolower(x) == std::tolower(y);
                    });
}

errc code_of(natsStatus status) {
  switch (status) {
    case NATS_INSUFFICIENT_BUFFER:
    case NATS_SLOW_CONSUMER: return errc::overloaded;
    case NATS_MAX_PAYLOAD: return errc::too_large;
    case NATS_NOT_PERMITTED:
    case NATS_CONNECTION_AUTH_FAILED: return errc::unauthorized;
    case NATS_INVALID_SUBJECT:
    case NATS_INVALID_QUEUE_NAME:
    case NATS_INVALID_ARG: return errc::malformed;
    case NATS_NOT_FOUND: return errc::not_found;
    default: return errc::unavailable;
  }
}

std::string_view advice(natsStatus status) {
  switch (status) {
    case NATS_NO_SERVER: return "is nats-server running at this address?";
    case NATS_CONNECTION_AUTH_FAILED:
      return "check the user and password of the bus";
    case NATS_NO_RESPONDERS: return "nobody serves this subject now, retry";
    case NATS_TIMEOUT: return "no answer in time, retry with the same id";
    case NATS_MAX_PAYLOAD: return "send less";
    case NATS_CONNECTION_DISCONNECTED:
    case NATS_CONNECTION_CLOSED: return "the bus is away, retry";
    default: return "";
  }
}

template <class Take>
void each_header(natsMsg* of, const Take& take) {
  const char** names = nullptr;
  int count = 0;
  if (natsMsgHeader_Keys(of, &names, &count) != NATS_OK)
    return;
  for (int i = 0; i < count; ++i) {
    const char* value = nullptr;
    if (natsMsgHeader_Get(of, names[i], &value) == NATS_OK)
      take(std::string_view{names[i]}, value ? value : "");
  }
  std::free(names);
}

} // namespace

error translate(natsStatus status, std::string_view doing) {
  std::string detail{doing};
  detail += ": ";
  detail += natsStatus_GetText(status);
  if (const auto what = advice(status); !what.empty()) {
    detail += "; ";
    detail += what;
  }
  return fail(code_of(status), std::move(detail));
}

error translate(natsStatus status, jsErrCode code, std::string_view doing) {
  if (code == JSStreamNotFoundErr)
    return fail(errc::not_found,
                std::string(doing)
                  + ": there is no such stream, make it first");
  if (code == JSNotEnabledErr || code == JSNotEnabledForAccountErr)
    return fail(errc::unavailable,
                std::string(doing)
                  + ": JetStream is off; start nats-server with it");
  auto e = translate(status, doing);
  if (code != 0) {
    const auto* text = nats_GetLastError(nullptr);
    e.detail += " (JetStream " + std::to_string(static_cast<int>(code)) + ": "
                + (text ? text : "") + ")";
  }
  return e;
}

std::string header(natsMsg* of, std::string_view name) {
  std::string found;
  each_header(of, [&](std::string_view key, std::string_view value) {
    if (found.empty() && same_name(key, name))
      found = value;
  });
  return found;
}

bus::header_list headers(natsMsg* of) {
  bus::header_list all;
  each_header(of, [&](std::string_view key, std::string_view value) {
    all.emplace_back(key, value);
  });
  return all;
}

bus::packet view(natsMsg* raw) {
  bus::packet x;
  const auto* reply = natsMsg_GetReply(raw);
  x.subject = natsMsg_GetSubject(raw);
  x.reply = reply ? reply : std::string_view{};
  if (const auto* bytes = natsMsg_GetData(raw))
    x.bytes = {bytes, static_cast<std::size_t>(natsMsg_GetDataLength(raw))};
  x.raw = raw;
  x.read_header = [](void* of, std::string_view name) {
    return header(static_cast<natsMsg*>(of), name);
  };
  return x;
}

result<message> make_message(std::string_view subject, std::string_view reply,
                             std::string_view bytes,
                             const bus::header_list& with) {
  natsMsg* raw = nullptr;
  auto status =
    natsMsg_Create(&raw, std::string(subject).c_str(),
                   reply.empty() ? nullptr : std::string(reply).c_str(),
                   bytes.data(), static_cast<int>(bytes.size()));
  message made{raw};
  for (const auto& [name, value] : with) {
    // A line break would end this header and begin another.
    if (name.empty() || name.find_first_of(": \r\n") != std::string::npos
        || value.find_first_of("\r\n") != std::string::npos)
      return fail(errc::malformed,
                  "the header '" + name + "' has a line break or a bad name");
    if (status == NATS_OK)
      status = natsMsgHeader_Set(raw, name.c_str(), value.c_str());
  }
  if (status != NATS_OK)
    return translate(status, "making a packet");
  return made;
}

std::string make_inbox() {
  natsInbox* raw = nullptr;
  if (natsInbox_Create(&raw) != NATS_OK)
    return {};
  std::string inbox{raw};
  natsInbox_Destroy(raw);
  return inbox;
}

} // namespace switchboard::nats
