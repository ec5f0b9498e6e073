/* vcalias: makes aliases of the user database of a virtual domain's .qmail files. */
#include "user/alias_convert.h"

int main(int argc, char **argv) {
  return alias_convert_main(&(struct alias_convert){"vcalias", alias_files_import}, argc, argv);
}
