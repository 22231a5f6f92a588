package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
)

const agreed = `{"errors":false}`

// bulk is the bare Elasticsearch client: bodies made beforehand, nothing parsed. No shipper can be quicker.
func bulk(arguments []string) (Report, error) {
	set := flags("bulk")
	connections := set.Int("connections", 2, "bodies on their way at once")
	fail(set.Parse(arguments))
	if set.NArg() < 2 {
		return Report{}, fmt.Errorf("bulk wants a URL and files")
	}
	bodies, report, err := read(set.Args()[1:])
	if err != nil {
		return report, err
	}
	client := &http.Client{Transport: &http.Transport{MaxConnsPerHost: *connections, MaxIdleConnsPerHost: *connections}}
	stop := clock()
	err = together(*connections, func(int) error {
		for body := range bodies {
			if err := post(client, set.Arg(0), body); err != nil {
				return err
			}
		}
		return nil
	})
	stop(&report)
	return report, err
}

func read(files []string) (<-chan []byte, Report, error) {
	bodies, report := make(chan []byte, len(files)), Report{}
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			return nil, report, err
		}
		report.Frames += bytes.Count(body, []byte("\n")) / 2 // an action and a document
		report.Bytes += len(body)
		bodies <- body
	}
	close(bodies)
	return bodies, report, nil
}

func post(client *http.Client, url string, body []byte) error {
	response, err := client.Post(url, "application/x-ndjson", bytes.NewReader(body))
	if err != nil {
		return err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if string(answer) != agreed {
		return fmt.Errorf("refused: %.300s", answer)
	}
	return nil
}
