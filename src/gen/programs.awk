# Turns src/PROGRAMS into make rules (mode=mk), the table of conf/paths.c (mode=c) or the
# installer's list (mode=install). One reader, so that the columns are named in one place.
/^#/ || NF == 0 { next }
NF < 9 { printf "src/PROGRAMS:%d: nine columns wanted\n", NR > "/dev/stderr"; exit 1 }
{
    name = $1; source = $2; dir = $3; fmode = $4; owner = $5; link = $6; libs = $7
    if (mode == "c" && link == "module") next
    if (mode == "c") { printf "    {\"%s\", \"%s\"},\n", name, dir; next }
    if (mode == "install") { print name, dir, fmode, owner; next }
    print "PROGRAMS += " name
    print "DIR_" name " := " dir
    if (link == "script") {
        print "$(BIN)/" name ": src/" source " $(PATHS_STAMP)"
        print "\t@mkdir -p $(@D)"
        print "\t$(Q)sed $(SUBST) $< > $@.tmp && chmod 755 $@.tmp && mv $@.tmp $@"
        next
    }
    n = split(libs, l, ",")
    ours = ""; sys = ""
    for (i = 1; i <= n; i++) {
        if (l[i] ~ /^@/) sys = sys " -l" substr(l[i], 2)
        else ours = ours " $(LIB)/lib" l[i] ".a"
    }
    if (link == "module") {
        obj = "$(PIC)/" source; sub(/\.c$/, ".o", obj)
        gsub(/\$\(LIB\)/, "$(LIB)/pic", ours)
        print "MAIN_OBJS += " obj
        print "$(BIN)/" name ": " obj ours " $(PIC_PATHS_O)"
        print "\t@mkdir -p $(@D)"
        print "\t$(Q)$(LD) $(LDFLAGS) -shared -Wl,-soname," name " -o $@ " obj " $(PIC_PATHS_O)" ours sys
        next
    }
    obj = "$(OBJ)/" source; sub(/\.c$/, ".o", obj)
    print "MAIN_OBJS += " obj
    print "$(BIN)/" name ": " obj ours " $(PATHS_O) $(SAN_O)"
    print "\t@mkdir -p $(@D)"
    print "\t$(Q)$(LD) $(LDFLAGS) $(LINK_" link ") -o $@ " obj " $(PATHS_O) $(SAN_O)" ours sys
    print "$(FAULTY)/" name ": $(BIN)/" name " $(FAULT_O)"
    print "\t@mkdir -p $(@D)"
    print "\t$(Q)$(LD) $(LDFLAGS) $(FAULT_WRAP) $(LINK_" link ") -o $@ " obj " $(FAULT_O) $(PATHS_O) $(SAN_O)" ours sys
    print "FAULTY_PROGRAMS += $(FAULTY)/" name
}
