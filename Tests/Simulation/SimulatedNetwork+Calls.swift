import Glibc
import Kernel
import TestSupport

/// The system calls of the worker, as `SimulatedWorld` passes them on.
extension SimulatedNetwork {
    // MARK: Poller

    /// A descriptor in the trace. One of the outside is the kernel's, which numbers it by what the rest of the process has open.
    private static func traced(_ descriptor: Descriptor) -> Int {
        DescriptorTable.isOurs(descriptor) ? Int(descriptor.raw) : -1
    }

    func unwatch(_ descriptor: Descriptor) {
        if DescriptorTable.isOurs(descriptor) && descriptors[descriptor] == nil {
            violate("unwatch of descriptor \(descriptor.raw), which is not open")
        }
        record("unwatch", Self.traced(descriptor), 0)
        poller.forget(descriptor)
    }

    func watch(_ descriptor: Descriptor, token: UInt64) -> Bool {
        let isOurs = DescriptorTable.isOurs(descriptor)
        if isOurs && descriptors[descriptor] == nil {
            violate("watch of descriptor \(descriptor.raw), which is not open")
            return false
        }
        if poller.isWatched(descriptor) {
            violate("second watch of descriptor \(descriptor.raw)")
            return false
        }
        let struck = fault.strikes(.watch)
        record("watch", Self.traced(descriptor), struck ? 0 : 1)
        if struck { return false }
        poller.watch(descriptor, token: token)
        if isOurs && readiness(of: descriptor) != Readiness() { poller.wake(descriptor) }
        return true
    }

    func wait(milliseconds: CInt) -> Int {
        let limit = milliseconds < 0 ? UInt64.max : clock + UInt64(milliseconds) * 1_000_000
        poller.dropBatch()
        sleepsForEver = false
        runAgenda(until: clock)
        // Every pass hands out an event, moves the clock on, or finds nothing left to come.
        while poller.batchCount == 0 {
            if poller.hasWoken {
                if conditions.interleaves, generator.oneIn(3) {
                    let late = clock + UInt64.random(in: 0...200_000, using: &generator)
                    runAgenda(until: min(limit, late))
                }
                let batch = Int.random(in: conditions.eventBatch, using: &generator)
                poller.collect(limit: batch, using: &generator) { self.readiness(of: $0) }
            } else if let next = agenda.nextTime, next <= limit {
                runAgenda(until: next)
            } else {
                if limit == .max { sleepsForEver = true } else { clock = limit }
                break
            }
        }
        record("wait", Int(milliseconds), poller.batchCount)
        return poller.batchCount
    }

    func event(_ index: Int) -> (token: UInt64, readiness: Readiness) {
        guard let event = poller.event(index) else {
            violate("event \(index) of a batch of \(poller.batchCount)")
            return (0, Readiness())
        }
        return event
    }

    /// What is true of a watched descriptor now. Outside descriptors are woken only by a ring.
    private func readiness(of descriptor: Descriptor) -> Readiness {
        guard DescriptorTable.isOurs(descriptor) else { return Readiness(readable: true) }
        switch descriptors[descriptor] {
        case .listener(let listener): return Readiness(readable: !listener.backlog.isEmpty)
        case .socket(let socket): return socket.readiness()
        case nil: return Readiness()
        }
    }

    // MARK: Connections

    func accept(_ descriptor: Descriptor) -> AcceptResult {
        interleave()
        guard case .listener(let listener) = descriptors[descriptor] else {
            violate("accept on descriptor \(descriptor.raw), which is no open listener")
            return .exhausted(EBADF)
        }
        // Linux finds a number first, so a full table is reported even when nobody is waiting.
        if fault.strikes(.accept) || descriptors.openCount >= conditions.descriptorLimit {
            record("accept", Int(descriptor.raw), -Int(EMFILE))
            return .exhausted(EMFILE)
        }
        guard !listener.backlog.isEmpty else {
            record("accept", Int(descriptor.raw), 0)
            return .none
        }
        let socket = listener.backlog.removeFirst()
        let accepted = descriptors.open(.socket(socket))
        socket.descriptor = accepted
        record("accept", Int(descriptor.raw), Int(accepted.raw))
        return .connection(accepted, from: socket.remote)
    }

    func refuseHandshakes(_ descriptor: Descriptor) {
        guard case .listener(let listener) = descriptors[descriptor] else {
            violate("refuseHandshakes on descriptor \(descriptor.raw), which is no open listener")
            return
        }
        record("refuseHandshakes", Int(descriptor.raw), 0)
        listener.refusesHandshakes = true
    }

    func dial(_ address: SocketAddress, _ options: TCPOptions) -> ConnectResult {
        interleave()
        if let error = immediateRefusal(of: address) {
            record("dial", Int(address.port), -Int(error))
            return .failed(error)
        }
        let socket = makeSocket(.connecting, remote: address, tcp: options)
        let descriptor = descriptors.open(.socket(socket))
        socket.descriptor = descriptor
        keep(socket, nil)
        agenda.add(.dialArrives(socket, address), at: clock + drawLatency())
        record("dial", Int(address.port), Int(descriptor.raw))
        return .started(descriptor)
    }

    private func immediateRefusal(of address: SocketAddress) -> CInt? {
        if fault.strikes(.dial) { return fault.counted.isMultiple(of: 2) ? ECONNREFUSED : EMFILE }
        if descriptors.openCount >= conditions.descriptorLimit { return EMFILE }
        if case .unreachable(let error) = receptions[address] { return error }
        return nil
    }

    func connectionError(_ descriptor: Descriptor) -> CInt {
        guard let socket = socket(descriptor, "connectionError") else { return EBADF }
        var error = socket.takeError()
        if fault.strikes(.connectionError) {
            error = ETIMEDOUT
            _ = lose(socket, error)
        }
        record("connectionError", Int(descriptor.raw), Int(error))
        return error
    }

    func hasUnacknowledged(_ descriptor: Descriptor) -> Bool {
        guard let socket = socket(descriptor, "hasUnacknowledged") else { return false }
        record("hasUnacknowledged", Int(descriptor.raw), socket.outstanding)
        return socket.outstanding > 0
    }

    func receive(_ descriptor: Descriptor, into space: inout MutableSpan<UInt8>) -> Transfer {
        interleave()
        guard let socket = socket(descriptor, "receive") else { return .failed(EBADF) }
        if space.isEmpty {
            violate("receive into no space on descriptor \(descriptor.raw)")
            return .ended
        }
        let outcome = fault.strikes(.receive) ? lose(socket, ECONNRESET) : socket.receive(into: &space)
        // The window opened: what the peer holds back may come.
        if case .moved = outcome, let other = socket.other { pump(other) }
        record("receive", Int(descriptor.raw), number(outcome))
        return outcome
    }

    func send(_ descriptor: Descriptor, _ bytes: Span<UInt8>) -> Transfer {
        interleave()
        guard let socket = socket(descriptor, "send") else { return .failed(EBADF) }
        if bytes.isEmpty {
            violate("send of nothing on descriptor \(descriptor.raw)")
            return .wouldBlock
        }
        let code = fault.counted.isMultiple(of: 2) ? EPIPE : ECONNRESET
        let outcome = fault.strikes(.send) ? lose(socket, code) : socket.send(bytes)
        if case .moved = outcome { pump(socket) }
        record("send", Int(descriptor.raw), number(outcome))
        return outcome
    }

    /// splice(2) through a pipe: what the sink does not take stays behind until it is fetched.
    func splice(from source: Descriptor, to sink: Descriptor, most: Int) -> SpliceResult? {
        passages += 1
        if !passing.isEmpty { violate("a passage before the rest of the last was fetched") }
        var bytes = [UInt8](repeating: 0, count: most)
        var space = bytes.mutableSpan
        let read = receive(source, into: &space)
        guard case .moved(let count) = read else { return SpliceResult(read: read) }
        passing = Array(bytes[..<count])
        let written = send(sink, passing.span)
        switch written {
        case .moved(let sent): passing.removeFirst(sent)
        case .failed: passing = []
        case .wouldBlock, .ended: break
        }
        return SpliceResult(read: read, written: written, leftover: passing.count)
    }

    func takeLeftover(into space: inout MutableSpan<UInt8>) -> Int {
        let count = fault.strikes(.takeLeftover) ? passing.count / 2 : passing.count
        for index in 0..<count { space[index] = passing[index] }
        passing = []
        return count
    }

    func finish(_ descriptor: Descriptor) {
        interleave()
        guard let socket = socket(descriptor, "finish") else { return }
        record("finish", Int(descriptor.raw), 0)
        guard socket.phase == .established, !socket.sendingShut else { return }
        socket.sendingShut = true
        pump(socket)
        // shutdown(2) wakes whoever polls the socket.
        poller.wake(descriptor)
    }

    func close(_ descriptor: Descriptor, reset: Bool) {
        interleave()
        guard DescriptorTable.isOurs(descriptor), let object = descriptors[descriptor] else {
            violate("close of descriptor \(descriptor.raw), which is not open")
            return
        }
        record("close", Int(descriptor.raw), reset ? 1 : 0)
        descriptors.close(descriptor)
        poller.forget(descriptor)
        switch object {
        case .socket(let socket):
            socket.descriptor = nil
            end(socket, reset: reset)
        case .listener(let listener):
            for waiting in listener.backlog { end(waiting, reset: true) }
        }
    }

    /// The process is gone, and with it all that it had open.
    func processExits() {
        leftOpen = descriptors.openCount
        for (descriptor, _) in descriptors.open { close(descriptor, reset: false) }
        poller = SimulatedPoller()
    }

    // MARK: Common

    private func socket(_ descriptor: Descriptor, _ call: String) -> SimulatedSocket? {
        guard case .socket(let socket) = descriptors[descriptor] else {
            violate("\(call) on descriptor \(descriptor.raw), which is no open socket")
            return nil
        }
        return socket
    }

    private func number(_ outcome: Transfer) -> Int {
        switch outcome {
        case .moved(let count): count
        case .ended: 0
        case .wouldBlock: -Int(EAGAIN)
        case .failed(let code): -1000 - Int(code)
        }
    }

    /// A few microseconds pass now and then between two calls, and whatever is due in them happens.
    private func interleave() {
        guard conditions.interleaves, generator.oneIn(4) else { return }
        runAgenda(until: clock + UInt64.random(in: 0...50_000, using: &generator))
    }
}
