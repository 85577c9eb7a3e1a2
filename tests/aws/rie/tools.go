// SPDX-License-Identifier: Apache-2.0

//go:build tools

// Package rie names the program that is built here, so that go.mod and go.sum pin it and all it needs.
package rie

import _ "github.com/aws/aws-lambda-runtime-interface-emulator/cmd/aws-lambda-rie"
