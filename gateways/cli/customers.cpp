// `customer`: which contacts are one person, why, and how to undo it.
#include "gateways/cli/cli.hpp"

#include <iostream>

namespace switchboard::cli {

namespace {

/// "web:u1" -> {web, u1}
contact contact_of(const std::string& text) {
  const auto colon = text.find(':');
  if (colon == 0 || colon == text.npos || colon + 1 == text.size())
    throw failure{usage, "a contact is written channel:user, for example "
                         "web:u1, not '"
                           + text + "'"};
  return {text.substr(0, colon), text.substr(colon + 1)};
}

int show_customer(const context& c, const std::string& whom) {
  const auto who = contact_of(whom);
  const auto from = c.open_store();
  const auto changes = must(from->changes(who));
  if (changes.empty())
    throw failure{failed, whom
                            + " has proven no address yet and is joined "
                              "with nobody"};
  const auto customer = changes.back().became;
  std::vector<std::vector<std::string>> rows;
  for (const auto& x : must(from->contacts(customer))) {
    const auto all = must(from->changes(x));
    rows.push_back(
      {customer.text, x.channel, x.user, all.empty() ? "" : all.back().reason});
  }
  print_table(c.json, {"customer", "channel", "user", "because"}, rows);
  return ok;
}

int separate_customer(const context& c, const std::string& whom) {
  const auto made = must(c.open_store()->separate(contact_of(whom)));
  std::cerr << whom << " is customer " << made
            << " now; the address that joined it does so no more\n";
  return ok;
}

} // namespace

void add_customers(CLI::App& to, context& c) {
  static std::string whom;
  auto* all = add(to, "customer", "Customers: show, separate", "", nullptr);
  add(*all, "show", "Shows all contacts of the person behind one",
      "  switchboard customer show web:u1\n",
      [&c] { return show_customer(c, whom); })
    ->add_option("contact", whom, "channel:user")
    ->required();
  add(*all, "separate", "Makes a contact a person of its own again",
      "  switchboard customer separate web:u1\n",
      [&c] { return separate_customer(c, whom); })
    ->add_option("contact", whom, "channel:user")
    ->required();
}

} // namespace switchboard::cli
