/* vcaliasrev.sh: makes .qmail files of the aliases of a virtual domain.  The name is the classic one, of a
 * script. */
#include "user/alias_convert.h"

int main(int argc, char **argv) {
  return alias_convert_main(&(struct alias_convert){"vcaliasrev.sh", alias_files_export}, argc, argv);
}
