// Package logger has the type that Docker executes a log tag's template on, with the fields and methods of
// Docker's own (daemon/logger/loginfo.go), so that Go names it *logger.Info in its messages.
package logger

import (
	"regexp"
	"strings"
	"time"
)

// Info is one container.
type Info struct {
	Config              map[string]string
	ContainerID         string
	ContainerName       string
	ContainerEntrypoint string
	ContainerArgs       []string
	ContainerImageID    string
	ContainerImageName  string
	ContainerCreated    time.Time
	ContainerEnv        []string
	ContainerLabels     map[string]string
	LogPath             string
	DaemonName          string
}

// Host is what Hostname answers.
var Host string

func short(id string) string {
	if _, rest, found := strings.Cut(id, ":"); found {
		id = rest
	}
	return id[:min(len(id), 12)]
}

func (i *Info) ID() string                { return short(i.ContainerID) }
func (i *Info) FullID() string            { return i.ContainerID }
func (i *Info) Name() string              { return strings.TrimPrefix(i.ContainerName, "/") }
func (i *Info) ImageID() string           { return short(i.ContainerImageID) }
func (i *Info) ImageFullID() string       { return i.ContainerImageID }
func (i *Info) ImageName() string         { return i.ContainerImageName }
func (i *Info) Hostname() (string, error) { return Host, nil }

func (i *Info) Command() string {
	return strings.Join(append([]string{i.ContainerEntrypoint}, i.ContainerArgs...), " ")
}

// ExtraAttributes picks labels and environment variables as the log options say.
func (i *Info) ExtraAttributes(keyMod func(string) string) (map[string]string, error) {
	found := map[string]string{}
	variables := map[string]string{}
	for _, entry := range i.ContainerEnv {
		if name, value, ok := strings.Cut(entry, "="); ok {
			variables[name] = value
		}
	}
	if err := i.pick(found, i.ContainerLabels, "labels", keyMod); err != nil || len(variables) == 0 {
		return found, err
	}
	return found, i.pick(found, variables, "env", keyMod)
}

func (i *Info) pick(found, source map[string]string, option string, keyMod func(string) string) error {
	put := func(name, value string) {
		if keyMod != nil {
			name = keyMod(name)
		}
		found[name] = value
	}
	for _, name := range strings.Split(i.Config[option], ",") {
		if value, ok := source[name]; ok && i.Config[option] != "" {
			put(name, value)
		}
	}
	pattern := i.Config[option+"-regex"]
	if pattern == "" {
		return nil
	}
	matcher, err := regexp.Compile(pattern)
	if err != nil {
		return err
	}
	for name, value := range source {
		if matcher.MatchString(name) {
			put(name, value)
		}
	}
	return nil
}
