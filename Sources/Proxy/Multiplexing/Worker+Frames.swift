import HTTP
import Reactor

/// HTTP/2 frames on their way to clients.
extension Worker where Outside: ~Copyable {
    /// Bytes of frames gathered for one write.
    private static var framesPerWrite: Int { 131_072 }

    mutating func markDirty(_ m: Handle) {
        guard !multiplexes[m].isDirty else { return }
        multiplexes[m].isDirty = true
        dirtyMultiplexes.append(m)
    }

    /// Sends the frames of this turn, one write a connection.
    mutating func sendFrames() {
        guard !dirtyMultiplexes.isEmpty else { return }
        swap(&dirtyMultiplexes, &sendingMultiplexes)
        for m in sendingMultiplexes where multiplexes.contains(m) {
            multiplexes[m].isDirty = false
            sendFrames(m)
        }
        sendingMultiplexes.removeAll(keepingCapacity: true)
    }

    private mutating func sendFrames(_ m: Handle) {
        let c = multiplexes[m].connection
        // The socket's next writable event marks it again.
        guard clients.contains(c) else { return }
        guard clients[c].output.isEmpty else {
            // It does not read: what there is to say about that would not be heard.
            if multiplexes[m].isBroken { linger(c) }
            return
        }
        composed.clear()
        events.removeAll()
        multiplexes[m].session.send(into: &composed, limit: Worker.framesPerWrite, events: &events)
        let isLong = composed.count >= Worker.framesPerWrite
        deliver(c)
        heedEvents(m)
        guard multiplexes.contains(m), clients.contains(c) else { return }
        if multiplexes[m].isBroken || multiplexes[m].session.isFinished {
            linger(c)
        } else if isLong {
            markDirty(m)
        }
    }
}
