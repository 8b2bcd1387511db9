package import Kernel

/// Says the first `sending` bytes of its message and then nothing for ever, with the connection open.
package struct StallingPeer: PeerBehaviour {
    package let message: [UInt8]
    package let sending: Int
    /// Whether it goes on reading while it is silent.
    package let reads: Bool

    package init(_ message: String, sending: Int, reads: Bool = true) {
        self.message = Array(message.utf8)
        self.sending = sending
        self.reads = reads
    }

    package func begin(_ peer: SimulatedPeer) {
        peer.onTurn {
            [.send(Array(message.prefix(sending)))] + (reads ? [] : [.read(.never)])
        }
        // The worker's FIN changes nothing: only the worker can end this.
        peer.onEnd = { [] }
    }
}

/// Sends one byte at a time, each after a while.
package struct OneBytePeer: PeerBehaviour {
    package let message: [UInt8]
    package let interval: Interval

    package init(_ message: String, every interval: Interval = .milliseconds(1)) {
        self.message = Array(message.utf8)
        self.interval = interval
    }

    package func begin(_ peer: SimulatedPeer) {
        peer.segmentBytes = 1...1
        peer.onTurn { message.flatMap { [.send([$0]), .pause(interval)] } }
    }
}

/// Sends the head of its message, up to its empty line and `bodyBytes` more, and resets the connection.
package struct ResetAfterHeadPeer: PeerBehaviour {
    package let message: [UInt8]
    package let bodyBytes: Int
    package let delay: Interval

    package init(_ message: String, bodyBytes: Int = 0, after delay: Interval = .milliseconds(5)) {
        self.message = Array(message.utf8)
        self.bodyBytes = bodyBytes
        self.delay = delay
    }

    package func begin(_ peer: SimulatedPeer) {
        let head = headLength(of: message)
        peer.onTurn { [.send(Array(message.prefix(head + bodyBytes))), .pause(delay), .reset] }
    }

    private func headLength(of message: [UInt8]) -> Int {
        let end: [UInt8] = [13, 10, 13, 10]
        for start in message.indices where message[start...].starts(with: end) { return start + end.count }
        return message.count
    }
}

/// Declares a Content-Length and sends another number of bytes: fewer, and then FIN or silence; or more.
package struct LyingLengthPeer: PeerBehaviour {
    package let startLine: String
    package let declared: Int
    package let actual: Int
    package let closes: Bool

    /// `startLine` is "HTTP/1.1 200 OK" or "POST /mcp HTTP/1.1"; further fields may follow it, with CRLF between them.
    package init(_ startLine: String, declared: Int, actual: Int, closes: Bool = true) {
        self.startLine = startLine
        self.declared = declared
        self.actual = actual
        self.closes = closes
    }

    package func begin(_ peer: SimulatedPeer) {
        let head = "\(startLine)\r\nContent-Length: \(declared)\r\n\r\n"
        peer.onTurn {
            [.text(head), .send(Array(repeating: 120, count: actual))] + (closes ? [.finish] : [])
        }
    }
}

/// Nobody is there: refuses every connection, or does not even do that.
package struct RefusingServer: PeerBehaviour {
    package let handshake: Handshake

    package init(silently: Bool = false) {
        handshake = silently ? .swallow : .refuse
    }

    package func begin(_ peer: SimulatedPeer) {
        // A client that refuses does not come at all.
        peer.perform(.reset)
    }
}

/// Says its message and takes the answer in smallReads.
package struct SlowReader: PeerBehaviour {
    package let message: [UInt8]
    package let bytes: Int
    package let interval: Interval

    package init(_ message: String, bytes: Int, every interval: Interval) {
        self.message = Array(message.utf8)
        self.bytes = bytes
        self.interval = interval
    }

    package func begin(_ peer: SimulatedPeer) {
        peer.perform(.read(.slowly(bytes: bytes, every: interval)))
        peer.onTurn { [.send(message)] }
    }
}
