/* Linked into sanitizer builds: programs that are about to end leave freeing to the system, and
 * services run with environments of their own, so the choice cannot come from a variable. */
const char *__asan_default_options(void);

const char *__asan_default_options(void) {
  return "detect_leaks=0:abort_on_error=1";
}
