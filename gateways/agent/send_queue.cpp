#include "gateways/agent/send_queue.hpp"

#include <utility>

namespace switchboard {

bool send_queue::fits(std::size_t more) const noexcept {
  if (!caught_up_)
    return bytes_ + more <= at_most_.catch_up_bytes_max;
  return objects() < at_most_.objects_max
         && bytes_ + more <= at_most_.bytes_max;
}

bool send_queue::lags() const noexcept {
  if (!caught_up_)
    return bytes_ > at_most_.catch_up_bytes_max / 2;
  return objects() > at_most_.objects_max / 2
         || bytes_ > at_most_.bytes_max / 2;
}

void send_queue::drop_what_may_be() {
  if (droppable_ == 0)
    return;
  forget_taken();
  std::erase_if(waiting_, [&](const item& x) {
    if (x.may_drop)
      bytes_ -= x.text.size();
    return x.may_drop;
  });
  dropped_ += std::exchange(droppable_, 0);
}

void send_queue::forget_taken() {
  waiting_.erase(waiting_.begin(),
                 waiting_.begin() + static_cast<std::ptrdiff_t>(taken_));
  taken_ = 0;
}

bool send_queue::push(std::string text, bool may_drop) {
  if (overflowed_)
    return false;
  if (!fits(text.size())) {
    drop_what_may_be();
    if (may_drop) {
      ++dropped_;
      return true;
    }
    if (!fits(text.size())) {
      // Nothing of it will be written any more: free it now.
      overflowed_ = true;
      std::vector<item>{}.swap(waiting_);
      taken_ = 0;
      bytes_ = 0;
      return false;
    }
  }
  bytes_ += text.size();
  droppable_ += may_drop ? 1 : 0;
  waiting_.push_back({std::move(text), may_drop});
  return true;
}

void send_queue::push_front(std::string text) {
  bytes_ += text.size();
  forget_taken();
  waiting_.insert(waiting_.begin(), item{std::move(text), false});
}

std::string send_queue::take(std::size_t bytes_max) {
  std::string frame;
  while (!empty()) {
    auto& next = waiting_[taken_];
    if (!frame.empty() && frame.size() + 1 + next.text.size() > bytes_max)
      break;
    if (!frame.empty())
      frame += '\n';
    bytes_ -= next.text.size();
    droppable_ -= next.may_drop ? 1 : 0;
    if (frame.empty())
      frame = std::move(next.text);
    else
      frame += next.text;
    ++taken_;
  }
  if (empty()) {
    std::vector<item>{}.swap(waiting_);
    taken_ = 0;
    caught_up_ = true;
  } else if (taken_ > waiting_.size() / 2) {
    forget_taken();
  }
  return frame;
}

} // namespace switchboard
