#include "config/child_process.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <grp.h>
#include <netinet/in.h>
#include <poll.h>
#include <pwd.h>
#include <sys/prctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <stdexcept>
#include <system_error>
#include <utility>

namespace switchboard {

namespace {

/// What the child needs, prepared before fork: between fork and exec only
/// async-signal-safe calls are allowed.
struct prepared {
  std::vector<char*> arguments;
  std::vector<char*> environment;
  uid_t user = 0;
  gid_t group = 0;
  bool switch_user = false;
};

prepared prepare(const child_process::options& how,
                 std::vector<std::string>& storage) {
  prepared p;
  for (const auto& x : how.command)
    p.arguments.push_back(const_cast<char*>(x.c_str()));
  p.arguments.push_back(nullptr);
  for (char** x = environ; *x; ++x)
    storage.emplace_back(*x);
  for (const auto& added : how.environment) {
    const auto name = added.substr(0, added.find('=') + 1);
    std::erase_if(storage, [&](const auto& x) { return x.starts_with(name); });
    storage.push_back(added);
  }
  for (auto& x : storage)
    p.environment.push_back(x.data());
  p.environment.push_back(nullptr);
  if (!how.user.empty() && geteuid() == 0) {
    const auto* entry = getpwnam(how.user.c_str());
    if (!entry)
      throw std::runtime_error("there is no user '" + how.user
                               + "' on this machine");
    p.user = entry->pw_uid;
    p.group = entry->pw_gid;
    p.switch_user = true;
  }
  return p;
}

[[noreturn]] void become(const child_process::options& how, const prepared& p,
                         int output, int status, pid_t parent) {
  const auto give_up = [&] {
    const int code = errno;
    static_cast<void>(!write(status, &code, sizeof code));
    _exit(127);
  };
  setpgid(0,
          0); // Ctrl-C in a terminal is for the owner, who stops us in order.
  if (p.switch_user
      && (setgroups(0, nullptr) != 0 || setgid(p.group) != 0
          || setuid(p.user) != 0))
    give_up();
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127);
  if (!how.directory.empty() && chdir(how.directory.c_str()) != 0)
    give_up();
  const int input = open("/dev/null", O_RDONLY);
  dup2(input, 0);
  dup2(output, 1);
  dup2(output, 2);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  execvpe(p.arguments[0], p.arguments.data(), p.environment.data());
  give_up();
  _exit(127);
}

pid_t start(const child_process::options& how, int output) {
  std::vector<std::string> storage;
  const auto p = prepare(how, storage);
  std::array<int, 2> status{};
  if (pipe2(status.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  const auto parent = getpid();
  const auto pid = fork();
  if (pid < 0)
    throw std::system_error(errno, std::generic_category(), "fork");
  if (pid == 0)
    become(how, p, output, status[1], parent);
  close(status[1]);
  int code = 0;
  const auto got = read(status[0], &code, sizeof code);
  close(status[0]);
  if (got == sizeof code) {
    waitpid(pid, nullptr, 0);
    throw std::runtime_error("cannot start " + how.command.at(0) + ": "
                             + std::strerror(code)
                             + (code == ENOENT ? " (is it installed?)" : ""));
  }
  return pid;
}

int exit_code(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

} // namespace

child_process::child_process(const options& how) {
  const auto* path = how.log.empty() ? "/dev/null" : how.log.c_str();
  const int output =
    open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
  if (output < 0)
    throw std::system_error(errno, std::generic_category(), path);
  try {
    pid_ = start(how, output);
  } catch (...) {
    close(output);
    throw;
  }
  close(output);
}

child_process::~child_process() {
  if (pid_ > 0 && !ended_)
    stop(SIGTERM, std::chrono::seconds{5});
}

child_process::child_process(child_process&& other) noexcept
  : pid_(std::exchange(other.pid_, -1)),
    ended_(std::exchange(other.ended_, {})) {
  // nop
}

child_process& child_process::operator=(child_process&& other) noexcept {
  if (this != &other) {
    if (pid_ > 0 && !ended_)
      stop(SIGTERM, std::chrono::seconds{5});
    pid_ = std::exchange(other.pid_, -1);
    ended_ = std::exchange(other.ended_, {});
  }
  return *this;
}

bool child_process::alive() {
  return !wait(std::chrono::milliseconds{0}).has_value();
}

void child_process::signal(int number) {
  if (alive())
    kill(pid_, number);
}

int child_process::stop(int number, std::chrono::milliseconds patience) {
  signal(number);
  if (const auto code = wait(patience))
    return *code;
  signal(SIGKILL);
  return wait(std::chrono::hours{1}).value_or(128 + SIGKILL);
}

std::optional<int> child_process::wait(std::chrono::milliseconds patience) {
  if (ended_ || pid_ <= 0)
    return ended_ ? ended_ : 0;
  const auto file = static_cast<int>(syscall(SYS_pidfd_open, pid_, 0));
  if (file >= 0) {
    pollfd watched{file, POLLIN, 0};
    poll(&watched, 1, static_cast<int>(patience.count()));
    close(file);
  }
  int status = 0;
  if (waitpid(pid_, &status, WNOHANG) == pid_)
    ended_ = exit_code(status);
  return ended_;
}

finished_process run_process(const child_process::options& how) {
  std::array<int, 2> output{};
  if (pipe2(output.data(), O_CLOEXEC) != 0)
    throw std::system_error(errno, std::generic_category(), "pipe");
  pid_t pid = -1;
  try {
    pid = start(how, output[1]);
  } catch (...) {
    close(output[0]);
    close(output[1]);
    throw;
  }
  close(output[1]);
  finished_process done;
  std::array<char, 4096> buffer{};
  for (;;) {
    const auto got = read(output[0], buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR)
      continue;
    if (got <= 0)
      break;
    done.output.append(buffer.data(), static_cast<std::size_t>(got));
  }
  close(output[0]);
  int status = 0;
  waitpid(pid, &status, 0);
  done.exit_code = exit_code(status);
  return done;
}

std::uint16_t free_port() {
  // Not from the range that outgoing connections get theirs from: while a
  // server is down, a client that tries again and again could be given the
  // server's own port, speak to itself, and keep the server from returning.
  constexpr std::uint16_t first = 15'000;
  constexpr std::uint16_t count = 17'000;
  for (int attempt = 0; attempt < 1000; ++attempt) {
    std::uint16_t draw = 0;
    if (getrandom(&draw, sizeof draw, 0) != sizeof draw)
      break;
    const auto port = static_cast<std::uint16_t>(first + draw % count);
    const int s = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in where{};
    where.sin_family = AF_INET;
    where.sin_port = htons(port);
    where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    const auto free =
      s >= 0
      && bind(s, reinterpret_cast<const sockaddr*>(&where), sizeof where) == 0;
    close(s);
    if (free)
      return port;
  }
  throw std::system_error(errno, std::generic_category(), "free port");
}

std::string random_secret(std::size_t bytes) {
  std::string raw(bytes, '\0');
  if (getrandom(raw.data(), raw.size(), 0) != static_cast<ssize_t>(bytes))
    throw std::system_error(errno, std::generic_category(), "getrandom");
  constexpr std::string_view digits = "0123456789abcdef";
  std::string text;
  for (const auto c : raw) {
    text += digits[static_cast<unsigned char>(c) >> 4];
    text += digits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

} // namespace switchboard
