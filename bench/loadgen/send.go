package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"slices"
	"strings"
	"sync"
	"time"
)

const (
	sliceBytes = 64 << 10
	ackHead    = "\x81\xa3ack" // {"ack": chunk}: chunk follows as a str
	patience   = 60 * time.Second
)

// stream is what one connection sends.
type stream struct {
	frames    [][]byte
	all       []byte // the frames back to back
	latencies []time.Duration
	sent      int
}

// pace says how fast and how long to send; a rate of 0 is as fast as it goes.
type pace struct {
	rate     float64 // frames a second on this connection
	deadline time.Time
}

func send(arguments []string) (Report, error) {
	set := flags("send")
	mode := set.String("mode", "stream", "stream, frame or ack")
	rate := set.Float64("rate", 0, "frames a second over all connections, 0: no limit")
	limit := set.Float64("seconds", 0, "stop after so many seconds, 0: when all is sent")
	fail(set.Parse(arguments))
	if set.NArg() < 2 {
		return Report{}, fmt.Errorf("send wants an address and files")
	}
	sender, known := map[string]func(net.Conn, *stream, pace) error{
		"stream": inSlices, "frame": byFrame, "ack": byAck,
	}[*mode]
	if !known {
		return Report{}, fmt.Errorf("no such mode: %s", *mode)
	}
	streams, err := load(set.Args()[1:])
	if err != nil {
		return Report{}, err
	}
	connections, err := dial(set.Arg(0), len(streams))
	if err != nil {
		return Report{}, err
	}
	each := pace{rate: *rate / float64(len(streams))}
	if *limit > 0 {
		each.deadline = time.Now().Add(time.Duration(*limit * float64(time.Second)))
	}
	stop := clock()
	err = together(len(streams), func(i int) error { return sender(connections[i], streams[i], each) })
	report := summary(streams)
	stop(&report)
	return report, err
}

func load(files []string) ([]*stream, error) {
	streams := make([]*stream, len(files))
	for i, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			return nil, err
		}
		streams[i] = split(data)
	}
	return streams, nil
}

// split moves the frames together in place, over their lengths.
func split(data []byte) *stream {
	made, to := &stream{}, 0
	for at := 0; at < len(data); {
		size := int(binary.LittleEndian.Uint32(data[at:]))
		copy(data[to:], data[at+4:at+4+size])
		made.frames = append(made.frames, data[to:to+size])
		at, to = at+4+size, to+size
	}
	made.all = data[:to]
	return made
}

func dial(address string, count int) ([]net.Conn, error) {
	network := "tcp"
	if path, unix := strings.CutPrefix(address, "unix://"); unix {
		network, address = "unix", path
	}
	connections := make([]net.Conn, count)
	for i := range connections {
		connection, err := net.Dial(network, address)
		if err != nil {
			return nil, err
		}
		connections[i] = connection
	}
	return connections, nil
}

// together runs work(0) to work(count-1) at the same time and returns the first error.
func together(count int, work func(int) error) error {
	failures := make([]error, count)
	var group sync.WaitGroup
	for i := range count {
		group.Add(1)
		go func() {
			defer group.Done()
			failures[i] = work(i)
		}()
	}
	group.Wait()
	for _, err := range failures {
		if err != nil {
			return err
		}
	}
	return nil
}

func inSlices(connection net.Conn, s *stream, _ pace) error {
	for at := 0; at < len(s.all); at += sliceBytes {
		if _, err := connection.Write(s.all[at:min(at+sliceBytes, len(s.all))]); err != nil {
			return err
		}
	}
	s.sent = len(s.frames)
	return untilRead(connection)
}

func byFrame(connection net.Conn, s *stream, p pace) error {
	started := time.Now()
	for i, frame := range s.frames {
		if p.over() {
			break
		}
		p.wait(started, i)
		if _, err := connection.Write(frame); err != nil {
			return err
		}
		s.sent++
	}
	return untilRead(connection)
}

func byAck(connection net.Conn, s *stream, p pace) error {
	answer := make([]byte, 256)
	started := time.Now()
	for i, frame := range s.frames {
		if p.over() {
			break
		}
		p.wait(started, i)
		begun := time.Now()
		if _, err := connection.Write(frame); err != nil {
			return err
		}
		if err := readAck(connection, answer, frame); err != nil {
			return fmt.Errorf("frame %d: %w", i, err)
		}
		s.latencies = append(s.latencies, time.Since(begun))
		s.sent++
	}
	return connection.Close()
}

// readAck reads one acknowledgement. Window 1: nothing else can be on its way. The chunk is the frame's end.
func readAck(connection net.Conn, answer, frame []byte) error {
	size, wanted := 0, len(ackHead)+1
	for size < wanted {
		n, err := connection.Read(answer[size:])
		if err != nil {
			return err
		}
		if size += n; size > len(ackHead) {
			wanted = len(ackHead) + 1 + int(answer[len(ackHead)]&0x1f)
		}
	}
	if chunk := answer[len(ackHead)+1 : size]; !bytes.HasPrefix(answer, []byte(ackHead)) || !bytes.HasSuffix(frame, chunk) {
		return fmt.Errorf("not its ack: %q", answer[:size])
	}
	return nil
}

func (p pace) over() bool {
	return !p.deadline.IsZero() && time.Now().After(p.deadline)
}

// wait sleeps until frame number i is due.
func (p pace) wait(started time.Time, i int) {
	if p.rate > 0 {
		time.Sleep(time.Until(started.Add(time.Duration(float64(i) / p.rate * float64(time.Second)))))
	}
}

// untilRead says that nothing more comes, and returns when the receiver has closed too.
func untilRead(connection net.Conn) error {
	half, can := connection.(interface{ CloseWrite() error })
	if !can {
		return connection.Close()
	}
	if err := half.CloseWrite(); err != nil {
		return err
	}
	fail(connection.SetReadDeadline(time.Now().Add(patience)))
	_, err := io.Copy(io.Discard, connection)
	return err
}

func summary(streams []*stream) Report {
	var report Report
	var all []time.Duration
	for _, s := range streams {
		report.Frames += s.sent
		for _, frame := range s.frames[:s.sent] {
			report.Bytes += len(frame)
		}
		all = append(all, s.latencies...)
	}
	if len(all) > 0 {
		slices.Sort(all)
		report.P50 = milliseconds(all[len(all)/2])
		report.P99 = milliseconds(all[len(all)*99/100])
	}
	return report
}

func milliseconds(d time.Duration) float64 {
	return float64(d) / float64(time.Millisecond)
}
