// The oracle executes templates with Go's own text/template and Docker's functions, one per line of JSON on
// its input, and answers each with one line. With "tables" as its argument it writes Go's tables of Unicode.
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"reflect"
	"slices"
	"strings"
	"text/template"
	"time"

	"oracle/logger"
)

// Texts are bytes: base64 in JSON.
type container struct {
	Config, Labels                                              map[string][]byte
	ID, Name, Entrypoint, ImageID, ImageName, LogPath, Hostname []byte
	Args, Env                                                   [][]byte
	Created                                                     time.Time
}

type question struct {
	Template  []byte
	Container *container
	Data      json.RawMessage // instead of a container
	CLI       bool            // the command line's functions
}

type answer struct {
	Output []byte `json:"output"`
	Error  []byte `json:"error,omitempty"`
	Stage  string `json:"stage,omitempty"` // of the error: parse, execute or panic
}

const (
	limit    = 8 << 20
	patience = 5 * time.Second
)

var errLimit = errors.New("the oracle's limit")

type limited struct{ bytes.Buffer }

func (l *limited) Write(p []byte) (int, error) {
	if l.Len()+len(p) > limit {
		return 0, errLimit
	}
	return l.Buffer.Write(p)
}

func encoded(v any) (string, error) {
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	err := encoder.Encode(v)
	return strings.TrimSpace(out.String()), err
}

func pad(text string, before, after int) string {
	if text == "" {
		return text
	}
	if before > limit || after > limit {
		panic(errLimit)
	}
	return strings.Repeat(" ", before) + text + strings.Repeat(" ", after)
}

func truncate(text string, length int) string {
	if len(text) < length {
		return text
	}
	return text[:length]
}

func joinAny(values any, separator string) (string, error) {
	if values == nil {
		return "", nil
	}
	if texts, ok := values.([]string); ok {
		return strings.Join(texts, separator), nil
	}
	var texts []string
	switch value := reflect.ValueOf(values); value.Kind() {
	case reflect.Slice:
		for i := range value.Len() {
			texts = append(texts, fmt.Sprint(value.Index(i).Interface()))
		}
	case reflect.Map:
		for _, key := range value.MapKeys() {
			texts = append(texts, fmt.Sprint(value.MapIndex(key).Interface()))
		}
		slices.Sort(texts)
	default:
		return "", fmt.Errorf("expected slice, got %T", values)
	}
	return strings.Join(texts, separator), nil
}

func functions(cli bool) template.FuncMap {
	found := template.FuncMap{
		"split": strings.Split, "title": strings.Title, "lower": strings.ToLower, "upper": strings.ToUpper,
		"pad": pad, "truncate": truncate, "join": strings.Join,
		"json": func(v any) string {
			text, _ := encoded(v)
			return text
		},
	}
	if cli {
		found["join"] = joinAny
		found["json"] = func(v any) string {
			text, err := encoded(v)
			if err != nil {
				panic(err)
			}
			return text
		}
	}
	return found
}

func texts(in [][]byte) []string {
	if in == nil {
		return nil
	}
	out := make([]string, len(in))
	for i, text := range in {
		out[i] = string(text)
	}
	return out
}

// The keys are bytes of the range of a string: each rune stands for one byte.
func entries(in map[string][]byte) map[string]string {
	if in == nil {
		return nil
	}
	out := make(map[string]string, len(in))
	for key, text := range in {
		var raw []byte
		for _, r := range key {
			raw = append(raw, byte(r))
		}
		out[string(raw)] = string(text)
	}
	return out
}

func (c *container) info() *logger.Info {
	logger.Host = string(c.Hostname)
	return &logger.Info{
		Config: entries(c.Config), ContainerID: string(c.ID), ContainerName: string(c.Name),
		ContainerEntrypoint: string(c.Entrypoint), ContainerArgs: texts(c.Args),
		ContainerImageID: string(c.ImageID), ContainerImageName: string(c.ImageName),
		ContainerCreated: c.Created.UTC(), ContainerEnv: texts(c.Env), ContainerLabels: entries(c.Labels),
		LogPath: string(c.LogPath), DaemonName: "docker",
	}
}

// Whole numbers are ints, as in Docker's own structs.
func whole(value any) any {
	switch value := value.(type) {
	case json.Number:
		if n, err := value.Int64(); err == nil {
			return int(n)
		}
		f, _ := value.Float64()
		return f
	case []any:
		for i := range value {
			value[i] = whole(value[i])
		}
	case map[string]any:
		for key := range value {
			value[key] = whole(value[key])
		}
	}
	return value
}

func (q *question) value() (any, error) {
	if q.Container != nil {
		return q.Container.info(), nil
	}
	var data any
	decoder := json.NewDecoder(bytes.NewReader(q.Data))
	decoder.UseNumber()
	err := decoder.Decode(&data)
	return whole(data), err
}

func ask(q *question) (a answer) {
	defer func() {
		if problem := recover(); problem != nil {
			a = answer{Error: []byte(fmt.Sprint(problem)), Stage: "panic"}
		}
	}()
	tree, err := template.New("log-tag").Funcs(functions(q.CLI)).Parse(string(q.Template))
	if err != nil {
		return answer{Error: []byte(err.Error()), Stage: "parse"}
	}
	value, err := q.value()
	if err != nil {
		return answer{Error: []byte(err.Error()), Stage: "panic"}
	}
	var out limited
	if err := tree.Execute(&out, value); err != nil {
		return answer{Error: []byte(err.Error()), Stage: "execute"}
	}
	return answer{Output: append([]byte{}, out.Bytes()...)}
}

// A loop that takes too long goes on behind the scenes until the end.
func askPatiently(q *question) answer {
	result := make(chan answer, 1)
	go func() { result <- ask(q) }()
	select {
	case a := <-result:
		return a
	case <-time.After(patience):
		return answer{Error: []byte(errLimit.Error()), Stage: "execute"}
	}
}

func answers(in io.Reader, out io.Writer) error {
	decoder := json.NewDecoder(bufio.NewReader(in))
	encoder := json.NewEncoder(out)
	for {
		var q question
		if err := decoder.Decode(&q); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
		if err := encoder.Encode(askPatiently(&q)); err != nil {
			return err
		}
	}
}

func main() {
	out := bufio.NewWriter(os.Stdout)
	defer out.Flush()
	if len(os.Args) > 1 && os.Args[1] == "tables" {
		writeTables(out)
		return
	}
	if err := answers(os.Stdin, out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
