package import Kernel

/// A listening socket for one worker, and whose it is.
package struct ListenerSocket: Sendable {
    /// Which of the process's listeners it belongs to.
    package let listener: ServerID
    /// The worker's from when it has been given to it.
    package let descriptor: Descriptor
    /// systemd has it as well: what is changed about it outlives this process.
    package var isBorrowed = false
}
