// Runs a program as a shell would, and stores its output.
#pragma once

#include <functional>
#include <string>
#include <vector>

namespace vit::test {

struct Finished {
    int status = 0;  ///< exit status, or 128 + signal
    std::string out;
    std::string err;
};

struct Start {
    std::vector<std::string> arguments;  ///< the program, then its arguments
    std::string in;                      ///< its standard input
    std::string stdout_path;             ///< if not empty: standard output goes to this file
    bool stderr_terminal = false;        ///< standard error is a terminal
    bool stdout_closed_pipe = false;     ///< standard output is a pipe without a reader
};

/// Fails the test when the program cannot be started or takes more than a minute.
Finished run(const Start& start);
Finished run(const std::vector<std::string>& arguments);

/// Fails after a minute.
void wait_until(const std::function<bool()>& holds);

/// A program that is still running, for tests with signals and slow input.
class Running {
  public:
    explicit Running(const std::vector<std::string>& arguments);
    ~Running();
    Running(const Running&) = delete;
    Running& operator=(const Running&) = delete;

    void write(const std::string& text);
    /// Waits (at most a minute) for the next line of its standard output.
    std::string read_line();
    void signal(int number);
    /// The largest amount of memory that the program has used so far.
    long peak_kib() const;
    /// Closes its standard input and waits for its end.
    Finished finish();

  private:
    int pid_ = -1;
    int in_ = -1, out_ = -1;
    std::string buffer_;
};

}  // namespace vit::test
