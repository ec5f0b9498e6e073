/* attr: attributes of functions, spelt once. */
#ifndef BASE_ATTR_H
#define BASE_ATTR_H

/* The caller must look at the result. */
#define MUST_CHECK __attribute__((warn_unused_result))

#endif
