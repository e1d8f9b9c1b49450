# Records of send.sh to a table, and what is expected of this speaker to what was measured.
# A record: speaker, kind, routes, seconds from start to done, seconds on the wire, seconds of a core, KiB at most.
# The records of one route are what a speaker takes before it has a table.

function sorted(list, count,    i, j, held) {
    for (i = 2; i <= count; i++) {
        held = list[i]
        for (j = i - 1; j >= 1 && list[j] > held; j--) list[j + 1] = list[j]
        list[j + 1] = held
    }
}

# The median of a row's values of one column; `best` becomes the least of them.
function median(row, column,    i, list) {
    for (i = 1; i <= runs[row]; i++) list[i] = value[row, column, i]
    sorted(list, runs[row])
    best = list[1]
    return list[int((runs[row] + 1) / 2)]
}

function rate(row, column) { return routes[row] / median(row, column) }

function ratio(row, other) {
    if (!(other in runs)) return "-"
    return sprintf("%.1f", rate(row, 5) / rate(other, 5))
}

function octets(row) { return (median(row, 7) - idle[row]) * 1024 / routes[row] }

function expect(row, what, is, measured, limit, unit) {
    printf "  %-7s %-40s %-30s %s\n", (is ? "met" : "MISSED"), row ", " what, sprintf("%s%s", measured, unit), limit
}

$3 == 1 { idle[$1 " " $2] = $7; next }
{
    row = $1 " " $2
    if (!(row in runs)) order[++rows] = row
    runs[row]++
    routes[row] = $3
    for (column = 4; column <= 7; column++) value[row, column, runs[row]] = $column
}

END {
    printf "%-20s %9s %4s %10s %12s %12s %12s %7s %7s %10s %10s %8s %7s\n", "", "routes", "runs", "start-done", "routes/s", "on the wire", "best",
        "core s", "MiB", "octets/rt", "of process", "x ExaBGP", "x BIRD"
    for (i = 1; i <= rows; i++) {
        row = order[i]
        split(row, words, " ")
        wire = rate(row, 5)
        fastest = routes[row] / best
        printf "%-20s %9d %4d %8.2f s %12.0f %12.0f %12.0f %7.2f %7.0f %10.0f %10.0f %8s %7s\n", row, routes[row], runs[row], median(row, 4),
            rate(row, 4), wire, fastest, median(row, 6), median(row, 7) / 1024, octets(row), median(row, 7) * 1024 / routes[row],
            ratio(row, "ExaBGP " words[2]), ratio(row, "BIRD configuration")
    }
    print "medians; octets/rt: of memory at most, above what the same speaker takes for one route; of process: all of it; on the wire: from the start of the session"
    print "expected:"
    for (i = 1; i <= rows; i++) {
        row = order[i]
        if (row !~ /^a?sync/) continue
        if (row ~ /configuration/) {
            wire = rate(row, 5)
            expect(row, "on the wire", wire >= 1e6, sprintf("%.0f", wire), "at least 1000000", " routes/s")
            if (routes[row] == 100000) {
                done = median(row, 4)
                expect(row, "from start to done", done <= 1, sprintf("%.2f", done), "at most 1", " s")
            }
        } else {
            wire = rate(row, 5)
            expect(row, "on the wire", wire >= 3e5, sprintf("%.0f", wire), "at least 300000", " routes/s")
        }
        expect(row, "memory", octets(row) <= 200, sprintf("%.0f", octets(row)), "at most 200", " octets per route")
        if (row ~ /^async/) {
            other = substr(row, 2)
            # Start to done: what the wire shows of a configuration is over in milliseconds.
            slower = median(row, 4) / median(other, 4)
            expect(row, "time over sync", slower <= 1, sprintf("%.2f", slower), "at most 1", "")
        }
    }
}
