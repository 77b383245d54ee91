# Reads a profile of callgrind. Prints what was spent in each function itself, largest first, and
# behind it the sum, apart from the allocator's own instructions (which depend on what lies in the
# heap beside a block), the allocations, and the readings of the clock; these two from the start of
# the process on, also where instructions are counted in a part of it:
#
#   132000 guard::finish
#   total 748000 0 0
function name_of(text,    id, name) {
    id = text
    sub(/^c?fn=/, "", id)
    name = id
    sub(/\).*/, ")", id)
    if (sub(/^\([0-9]+\) /, "", name)) names[id] = name
    return names[id]
}
/^fn=/ { function_name = name_of($0); next }
/^cfn=/ { called = name_of($0); next }
/^calls=/ {
    sub(/^calls=/, "", $1)
    calls[called] += $1
    inclusive = 1
    next
}
/^[0-9+*-]/ {
    if (inclusive) inclusive = 0
    else spent[function_name] += $2
}
END {
    allocator = "^(malloc|calloc|realloc|free|posix_memalign|aligned_alloc|_int_.*|unlink_chunk.*|malloc_consolidate|sysmalloc|systrim.*|tcache_.*|_mid_memalign|memalign)('[0-9]+)?$"
    for (name in spent) {
        print spent[name], name | "sort -rn"
        if (name !~ allocator) total += spent[name]
    }
    close("sort -rn")
    for (name in calls) {
        if (name ~ /^(malloc|calloc|realloc|posix_memalign|aligned_alloc)$/) allocations += calls[name]
        if (name ~ /^clock_gettime/) readings += calls[name]
    }
    print "total", total + 0, allocations + 0, readings + 0
}
