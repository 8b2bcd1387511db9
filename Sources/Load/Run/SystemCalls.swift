import Glibc

/// The system's message for an errno.
func errnoText(_ code: CInt) -> String { String(cString: strerror(code)) }

/// CPU seconds of this process so far, all threads, in user and in kernel mode.
func cpuSeconds() -> (user: Double, system: Double) {
    var usage = rusage()
    getrusage(CInt(RUSAGE_SELF.rawValue), &usage)
    func seconds(_ time: timeval) -> Double { Double(time.tv_sec) + Double(time.tv_usec) / 1_000_000 }
    return (seconds(usage.ru_utime), seconds(usage.ru_stime))
}

/// The contents of a file; what is beyond 16 MiB is left out.
func fileContents(_ path: String) throws(LoadError) -> [UInt8] {
    guard let file = fopen(path, "rb") else { throw LoadError("\(path): \(errnoText(errno))") }
    defer { fclose(file) }
    var contents: [UInt8] = []
    var block = [UInt8](repeating: 0, count: 65_536)
    while contents.count < 16_777_216 {
        let count = fread(&block, 1, block.count, file)
        if count == 0 { break }
        contents += block[..<count]
    }
    return contents
}
