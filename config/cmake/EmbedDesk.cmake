# Turns a file into a C++ source. Raw literals may not grow for ever, so the
# text is cut into pieces, which the compiler joins again.
file(READ ${INPUT} text)
string(LENGTH "${text}" left)
set(source "#include \"gateways/console/desk.hpp\"\n\n")
string(APPEND source "namespace switchboard {\n\nstd::string_view desk_page() noexcept {\n  return\n")
set(from 0)
while(from LESS left)
  string(SUBSTRING "${text}" ${from} 8000 piece)
  string(APPEND source "R\"desk(${piece})desk\"\n")
  math(EXPR from "${from} + 8000")
endwhile()
string(APPEND source "  ;\n}\n\n} // namespace switchboard\n")
file(WRITE ${OUTPUT} "${source}")
