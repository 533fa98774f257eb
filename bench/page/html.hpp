#pragma once

#include <string>
#include <string_view>

/// Pages that need nothing else: styles and pictures are inside. Pure.
namespace switchboard::page {

/// `text` with what HTML gives a meaning written as entities.
[[nodiscard]] std::string escaped(std::string_view text);

/// `<name class="kind">text</name>`, the text escaped.
[[nodiscard]] std::string element(std::string_view name, std::string_view text,
                                  std::string_view kind = "");

/// A whole document in the style of all our pages. Its classes: `card`, `row`
/// (cards side by side), `soft`, `legend`; in tables `win`, `lose`, `ours`; in
/// pictures `p0` (the product) to `p5`, `curve`, `bar`, `grid`, `axis`, `tick`,
/// `end`, `middle`.
/// @param body HTML
[[nodiscard]] std::string document(std::string_view title,
                                   std::string_view body);

} // namespace switchboard::page
