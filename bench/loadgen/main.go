// loadgen is the benchmarks' sender: quick enough that what is measured is the receiver.
//
//	loadgen send [-mode stream|frame|ack] [-rate EVENTS/S] [-seconds S] ADDRESS FILE...
//	loadgen bulk [-connections N] URL FILE...
//
// send opens one connection for each FILE, which holds frames, each behind its length (u32, little endian).
//
//	stream  64 KiB a write, as a forwarder with a full buffer
//	frame   one write a frame, as Docker's driver
//	ack     a frame, then its acknowledgement, then the next frame, as Docker's driver with fluentd-request-ack
//
// stream and frame end when the receiver has closed too, so when it has read everything. bulk posts each FILE
// as one body and wants {"errors":false} back. Either prints one JSON object.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"syscall"
	"time"
)

// Report is what one run says. Latencies are in milliseconds, CPU is of this process.
type Report struct {
	Frames  int     `json:"frames"`
	Bytes   int     `json:"bytes"`
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`
	P50     float64 `json:"p50,omitempty"`
	P99     float64 `json:"p99,omitempty"`
}

func main() {
	if len(os.Args) < 2 {
		fail(fmt.Errorf("say send or bulk"))
	}
	commands := map[string]func([]string) (Report, error){"send": send, "bulk": bulk}
	command, known := commands[os.Args[1]]
	if !known {
		fail(fmt.Errorf("no such command: %s", os.Args[1]))
	}
	report, err := command(os.Args[2:])
	fail(err)
	fail(json.NewEncoder(os.Stdout).Encode(report))
}

func fail(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "loadgen:", err)
		os.Exit(1)
	}
}

func flags(name string) *flag.FlagSet {
	return flag.NewFlagSet(name, flag.ExitOnError)
}

// clock measures wall and CPU seconds from now on.
func clock() func(*Report) {
	started, used := time.Now(), cpu()
	return func(report *Report) {
		report.Seconds = time.Since(started).Seconds()
		report.CPU = cpu() - used
	}
}

func cpu() float64 {
	var usage syscall.Rusage
	fail(syscall.Getrusage(syscall.RUSAGE_SELF, &usage))
	return seconds(usage.Utime) + seconds(usage.Stime)
}

func seconds(t syscall.Timeval) float64 {
	return float64(t.Sec) + float64(t.Usec)/1e6
}
