# Turns the numbered .sql files into one C++ file: the program carries its schema.
#   cmake -DOUTPUT=<file> -DFILES=<files> -P embed.cmake
set(files ${FILES})
list(SORT files)
set(text "#include \"persistence/postgres/migrations.hpp\"\n\nnamespace switchboard {\n\nconst std::vector<migration>& migrations() {\n  static const std::vector<migration> all{\n")
foreach(file ${files})
  get_filename_component(name ${file} NAME_WE)
  file(READ ${file} sql)
  string(APPEND text "    {\"${name}\", R\"sql_text(${sql})sql_text\"},\n")
endforeach()
string(APPEND text "  };\n  return all;\n}\n\n} // namespace switchboard\n")
file(WRITE ${OUTPUT} "${text}")
