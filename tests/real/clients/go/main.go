// Sends numbered lines with fluent-logger-golang, which is what dockerd itself uses: main PORT COUNT.
// It ends with 0 when every line was acknowledged.
package main

import (
	"fmt"
	"log"
	"os"
	"strconv"

	"github.com/fluent/fluent-logger-golang/fluent"
)

func main() {
	port, count := number(os.Args[1]), number(os.Args[2])
	logger, err := fluent.New(fluent.Config{
		FluentHost:         "127.0.0.1",
		FluentPort:         port,
		RequestAck:         true,
		SubSecondPrecision: true,
	})
	if err != nil {
		log.Fatal(err)
	}
	defer logger.Close()
	for i := 0; i < count; i++ {
		line := map[string]string{"log": fmt.Sprintf("golang %d", i), "source": "client"}
		if err := logger.Post("golang", line); err != nil {
			log.Fatal(err)
		}
	}
}

func number(text string) int {
	value, err := strconv.Atoi(text)
	if err != nil {
		log.Fatal(err)
	}
	return value
}
