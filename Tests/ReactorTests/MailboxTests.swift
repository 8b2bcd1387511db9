import Kernel
import Reactor
import Synchronization
import Testing

@Suite("Mailbox")
struct MailboxTests {
    private struct Message: Sendable {
        let sender: Int
        let number: Int
    }

    @Test("a message that must arrive is taken by a full mailbox")
    func postAlways() throws {
        let mailbox = try Mailbox<Message>(limit: 2)
        let taken = (0..<3).map { mailbox.post(Message(sender: 0, number: $0)) }
        mailbox.postAlways(Message(sender: 0, number: 3))
        #expect(taken == [true, true, false])
        #expect(mailbox.collect().map(\.number) == [0, 1, 3])
    }

    @Test("letters of many threads all arrive, each thread's in its order")
    func threads() throws {
        let mailbox = try Mailbox<Message>(limit: 100_000)
        var world = try Linux()
        #expect(world.watch(mailbox.descriptor, token: 9) == true)
        var received: [[Int]] = Array(repeating: [], count: 4)
        let senders = [try sender(0, mailbox), try sender(1, mailbox), try sender(2, mailbox), try sender(3, mailbox)]
        let deadline = Instant.now() + .seconds(30)

        // The worker hears of every letter by its poller alone: it never looks without having been woken.
        while received.contains(where: { $0.count < 2000 }), Instant.now() < deadline {
            guard world.wait(milliseconds: 1000) > 0 else { continue }
            #expect(world.event(0).token == 9)
            for letter in mailbox.collect() { received[letter.sender].append(letter.number) }
        }

        for numbers in received { #expect(numbers == Array(0..<2000)) }
        for index in senders { index.join() }
    }

    /// A thread by reference, for an array.
    private final class Sender {
        private var thread: Thread?
        init(_ thread: consuming Thread) { self.thread = consume thread }
        func join() {
            guard let thread = thread.take() else { return }
            thread.join()
        }
    }

    private func sender(_ index: Int, _ mailbox: Mailbox<Message>) throws -> Sender {
        Sender(
            try Thread(named: "sender \(index)") {
                for number in 0..<2000 { mailbox.post(Message(sender: index, number: number)) }
            })
    }

    @Test("a full mailbox refuses, an emptied one accepts again")
    func bound() throws {
        let mailbox = try Mailbox<Int>(limit: 3)
        #expect((1...4).map { mailbox.post($0) } == [true, true, true, false])
        #expect(mailbox.collect() == [1, 2, 3])
        #expect(mailbox.collect() == [])
        #expect(mailbox.post(5))
        #expect(mailbox.collect() == [5])
    }

    @Test("threads that post more than fits have exactly the limit accepted, and what was accepted arrives")
    func contendedBound() throws {
        let mailbox = try Mailbox<Message>(limit: 500)
        let accepted = Mutex([0, 0, 0, 0])
        let senders = try (0..<4).map { index in
            Sender(
                try Thread(named: "sender \(index)") {
                    for number in 0..<1_000 where mailbox.post(Message(sender: index, number: number)) {
                        accepted.withLock { $0[index] += 1 }
                    }
                })
        }
        for sender in senders { sender.join() }

        let letters = mailbox.collect()

        #expect(letters.count == 500)
        for index in 0..<4 {
            // Once full it stays full, so of each sender it has the first ones.
            let numbers = letters.filter { $0.sender == index }.map(\.number)
            #expect(numbers == Array(0..<accepted.withLock { $0[index] }))
        }
        #expect(mailbox.collect().isEmpty)
        #expect(mailbox.post(Message(sender: 0, number: 0)))
    }

    @Test("a mailbox with a limit of 0 accepts nothing and still wakes its worker")
    func closedMailbox() throws {
        let mailbox = try Mailbox<Int>(limit: 0)
        var world = try Linux()
        _ = world.watch(mailbox.descriptor, token: 1)
        _ = world.wait(milliseconds: 0)

        #expect(!mailbox.post(1))

        let ready = world.wait(milliseconds: 1000)
        #expect(ready == 1)
        #expect(mailbox.collect().isEmpty)
    }

    @Test("every post is an event, though nobody reads the eventfd")
    func events() throws {
        let mailbox = try Mailbox<Int>(limit: 10)
        var world = try Linux()
        _ = world.watch(mailbox.descriptor, token: 1)
        // An eventfd can always be written to, which is news once.
        _ = world.wait(milliseconds: 0)
        for number in 0..<5 {
            let quiet = world.wait(milliseconds: 0)
            mailbox.post(number)
            let ready = world.wait(milliseconds: 1000)
            #expect(quiet == 0)
            #expect(ready == 1)
        }
    }
}
