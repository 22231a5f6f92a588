package main

import (
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode"
)

// bounds lists where a property begins and ends, each as the distance from the one before, in base 36.
func bounds(has func(rune) bool) string {
	var out []string
	inside, before := false, rune(0)
	for r := rune(0); r <= unicode.MaxRune+1; r++ {
		if is := r <= unicode.MaxRune && has(r); is != inside {
			out = append(out, strconv.FormatInt(int64(r-before), 36))
			inside, before = is, r
		}
	}
	return strings.Join(out, " ")
}

type run struct{ start, distance, count, stride rune }

func (r run) last() rune { return r.start + (r.count-1)*r.stride }

// runs lists a mapping beyond ASCII: start (as the distance from the one before), distance, count, stride.
func runs(to func(rune) rune) string {
	var found []run
	for r := rune(0x80); r <= unicode.MaxRune; r++ {
		distance := to(r) - r
		if distance == 0 {
			continue
		}
		if n := len(found) - 1; n >= 0 && found[n].distance == distance {
			step := r - found[n].last()
			if found[n].count == 1 && step <= 2 {
				found[n].stride = step
			}
			if found[n].stride == step && (found[n].count > 1 || step <= 2) {
				found[n].count++
				continue
			}
		}
		found = append(found, run{r, distance, 1, 1})
	}
	return written(found)
}

func written(found []run) string {
	var out []string
	before := rune(0)
	for _, r := range found {
		parts := []rune{r.start - before, r.distance}
		if r.count > 1 {
			parts = append(parts, r.count)
			if r.stride != 1 {
				parts = append(parts, r.stride)
			}
		}
		before = r.start
		texts := make([]string, len(parts))
		for i, part := range parts {
			texts[i] = strconv.FormatInt(int64(part), 36)
		}
		out = append(out, strings.Join(texts, ","))
	}
	return strings.Join(out, " ")
}

func writeTables(out io.Writer) {
	fmt.Fprintln(out, "VERSION", unicode.Version)
	fmt.Fprintln(out, "LETTERS", bounds(unicode.IsLetter))
	fmt.Fprintln(out, "DIGITS", bounds(unicode.IsDigit))
	fmt.Fprintln(out, "PRINTABLE", bounds(unicode.IsPrint))
	fmt.Fprintln(out, "UPPER", runs(unicode.ToUpper))
	fmt.Fprintln(out, "LOWER", runs(unicode.ToLower))
	fmt.Fprintln(out, "TITLE", runs(unicode.ToTitle))
}
