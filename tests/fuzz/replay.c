/* replay: runs a fuzz target over the files named, where there is no fuzzer. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/fd.h"
#include "base/file.h"
#include "base/strerr.h"

#define FILE_MAX (16u << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int main(int argc, char **argv) {
  stralloc text = STRALLOC_INIT;

  for (int i = 1; i < argc; ++i) {
    int r = file_read(argv[i], &text, FILE_MAX);

    if (r != 1) strerr_diem_sys(111, "replay: ", "unable to read ", argv[i], (char *)0);
    LLVMFuzzerTestOneInput((const uint8_t *)stralloc_cstr(&text), text.len);
  }
  printf("%d inputs\n", argc - 1);
  stralloc_free(&text);
  return 0;
}
